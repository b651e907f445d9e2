"""Where the networks of a study place events: two components, how far apart classes are, how features go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from root_gnn.analysis.cka import Layers
from root_gnn.analysis.embed import Method, reduced
from root_gnn.similarity.separation import Separation, fisher, silhouette
from root_gnn.study.redundancy import Redundancy, redundancy
from root_gnn.typing import Floats

N_EVENT = 1000
FEWEST_FOR_NEIGHBOURS = 200
DECODER = "decoder"


@dataclass(frozen=True)
class EmbeddedPoints:
    """Test events at the largest size as the first seed of each group places them: `label (n_event,)`, points by method and group."""

    label: NDArray[np.int64]
    points: dict[Method, dict[str, Floats]]
    fisher: dict[str, Separation | None]
    silhouette: dict[str, Separation | None]
    redundancy: dict[str, Redundancy]


def places(layers: Mapping[str, Sequence[Layers]], label: NDArray[np.int64]) -> EmbeddedPoints:
    """What heads read of events with `label (n_event,)`, by group; the pictures hold at most 1,000 of them."""
    z = {name: np.asarray(_representation(one[0]), dtype=np.float64) for name, one in layers.items()}
    step = max(1, -(-len(label) // N_EVENT))
    points = {
        method: {name: reduced(one[::step], method)[0] for name, one in z.items()} for method in _methods(len(label))
    }
    return EmbeddedPoints(
        label[::step],
        points,
        {name: fisher(one, label) for name, one in z.items()},
        {name: silhouette(one, label) for name, one in z.items()},
        {name: redundancy(one) for name, one in z.items()},
    )


def _representation(layers: Layers) -> NDArray[np.float32]:
    return next(layers[name] for name in reversed(layers) if name != DECODER)


def _methods(n_event: int) -> tuple[Method, ...]:
    if n_event < FEWEST_FOR_NEIGHBOURS:
        return ("pca",)
    try:
        import umap  # noqa: F401
    except ImportError:
        return ("tsne",)
    return ("tsne", "umap")
