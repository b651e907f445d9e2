"""Feature scaling fitted on training data: it lives inside an encoder and is saved with its weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from root_gnn.atomic import write_json
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.kinematics.pairs import KNOWN, pair_feature, pair_features

SMALLEST = 1e-3  # GeV; the logarithm of a smaller momentum or energy is taken here

TRANSFORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: x,
    "log": lambda x: torch.log(x.clamp(min=SMALLEST)),
    "tanh": torch.tanh,
}


@dataclass(frozen=True)
class Affine:
    """`(transform(x) - mean) / std`."""

    transform: str
    mean: float
    std: float


@dataclass(frozen=True)
class Scaling:
    """One `Affine` per feature name, for nodes, pairs of nodes and globals; written as `scaling.json`."""

    nodes: Mapping[str, Affine] = field(default_factory=dict)
    edges: Mapping[str, Affine] = field(default_factory=dict)
    globals: Mapping[str, Affine] = field(default_factory=dict)

    @classmethod
    def fit(cls, batches: Iterable[Batch], features: Features) -> Self:
        """Means and standard deviations over all nodes, pairs and graphs of `batches`, unweighted, in float64.

        A constant feature gets the standard deviation 1, and comes out as 0.
        """
        sums: dict[str, FeatureMoments] = {
            "nodes": FeatureMoments(),
            "edges": FeatureMoments(),
            "globals": FeatureMoments(),
        }
        fitted_pairs = [feature.name for feature in KNOWN.values() if feature.fixed_scale is None]
        kinematic = [features.column(name) for name in ("pt", "eta", "phi", "energy")]
        for batch in batches:
            columns = [TRANSFORMS[features.transform(name)](batch.nodes[:, k]) for k, name in enumerate(features.nodes)]
            sums["nodes"].add(torch.stack(columns, 1))
            senders, receivers = batch.edge_index()
            momenta = batch.nodes[:, kinematic]
            sums["edges"].add(pair_features(momenta[senders], momenta[receivers], fitted_pairs))
            sums["globals"].add(batch.globals)
        return cls(
            nodes=sums["nodes"].affine(features.nodes, features.transform),
            edges=sums["edges"].affine(fitted_pairs, _linear),
            globals=sums["globals"].affine(features.globals, _linear),
        )

    def pair(self, name: str) -> Affine:
        """The scaling of a pair feature: the fixed one where the feature has one, else the fitted one, else none."""
        fixed = pair_feature(name).fixed_scale
        return Affine("linear", *fixed) if fixed is not None else self.edges.get(name, Affine("linear", 0.0, 1.0))

    def save(self, path: Path) -> None:
        """Writes JSON."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            **{
                part: {name: Affine(**numbers) for name, numbers in content[part].items()}
                for part in ("nodes", "edges", "globals")
            }
        )


def _linear(name: str) -> str:
    del name  # pairs and globals are scaled as they are, whatever their name
    return "linear"


class FeatureMoments:
    """Running count, sum and sum of squares of rows, float64."""

    def __init__(self) -> None:
        self.n_row = 0
        self.first: Tensor | float = 0.0
        self.second: Tensor | float = 0.0

    def add(self, rows: Tensor) -> None:
        """Takes in `rows (n_row, dim)`."""
        rows = rows.to(torch.float64)
        self.n_row += rows.shape[0]
        self.first = self.first + rows.sum(0)
        self.second = self.second + (rows * rows).sum(0)

    def affine(self, names: Iterable[str], transform: Callable[[str], str]) -> dict[str, Affine]:
        """One `Affine` per column, in the order of `names`."""
        mean = torch.as_tensor(self.first) / max(self.n_row, 1)
        variance = (torch.as_tensor(self.second) / max(self.n_row, 1) - mean * mean).clamp(min=0)
        std = torch.where(variance > 1e-12, variance.sqrt(), torch.ones_like(variance))
        if self.n_row == 0:
            return {name: Affine(transform(name), 0.0, 1.0) for name in names}
        return {name: Affine(transform(name), float(mean[k]), float(std[k])) for k, name in enumerate(names)}
