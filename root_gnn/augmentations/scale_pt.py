"""One factor on all momenta of a graph: an energy scale that is not known exactly."""

from __future__ import annotations

from typing import final

from pydantic import Field
from torch import Tensor

from root_gnn.augmentations.chance import ChanceConfig, happens
from root_gnn.errors import InputError, suggest
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import Augmentation

MOMENTA = ("pt", "energy", "mass")
TRUTH = ("pt", "energy", "mass", "m")


class Config(ChanceConfig):
    """How far the scale is off.

    Attributes:
        width: the factor is uniform between 1 - width and 1 + width.
        also: further columns of nodes or globals in GeV that scale along (`msoftdrop`).
    """

    width: float = Field(0.1, gt=0, lt=1)
    also: tuple[str, ...] = ()

    def build(self, features: Features) -> ScalePt:
        """Builds the augmentation for batches with these columns; raises InputError where `also` names none of them."""
        known = (*features.nodes, *features.globals)
        for name in self.also:
            if name not in known:
                raise InputError(
                    f"scale_pt.also names {name!r}, which is no column of nodes or globals{suggest(name, known)}"
                )
        return ScalePt(features, self)


@final
class ScalePt(Augmentation):
    """Scales every four-momentum of a graph, and the globals and labels with such endings, by one factor.

    Directions, and ratios of momenta, stay.
    """

    invariants = ("eta", "phi", "btag", "charge", "type", "delta_eta", "delta_phi", "delta_r", "ln_z")

    def __init__(self, features: Features, config: Config) -> None:
        self.width, self.probability = config.width, config.probability
        self.nodes = _scaled(features.nodes, MOMENTA, config.also)
        self.globals = _scaled(features.globals, MOMENTA, config.also)

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the scaled copy."""
        factor = 1.0 + (2.0 * draws.uniform(batch, stream=0) - 1.0) * self.width * happens(
            batch, draws, self.probability
        )
        labels = {
            name: (value.double() * factor).to(value.dtype) if name.rpartition("_")[2] in TRUTH else value
            for name, value in batch.labels.items()
        }
        nodes = _times(batch.nodes, self.nodes, factor[batch.graph_index])
        return batch.replace(nodes=nodes, globals=_times(batch.globals, self.globals, factor), labels=labels)


def _scaled(columns: tuple[str, ...], endings: tuple[str, ...], also: tuple[str, ...]) -> list[int]:
    return [place for place, name in enumerate(columns) if name in also or name.rpartition("_")[2] in endings]


def _times(rows: Tensor, columns: list[int], factor: Tensor) -> Tensor:
    rows = rows.clone()
    for column in columns:
        rows[:, column] = (rows[:, column].double() * factor).to(rows.dtype)
    return rows
