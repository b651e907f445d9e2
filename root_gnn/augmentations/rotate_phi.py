"""Rotation of the whole event about the beam: an exact symmetry of unpolarised collisions."""

from __future__ import annotations

import math
from typing import final

from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.kinematics.angles import wrap_phi
from root_gnn.kinematics.pairs import PAIR_FEATURES
from root_gnn.protocols import Augmentation, AugmentationConfig


class Config(AugmentationConfig):
    """There is nothing to choose: the angle is uniform."""

    def build(self, features: Features) -> RotatePhi:
        """Builds the augmentation for batches with these columns."""
        return RotatePhi(features)


@final
class RotatePhi(Augmentation):
    """Adds one angle per event to every azimuth, those of truth labels (`*_phi`) included."""

    invariants = ("pt", "eta", "energy", "btag", "charge", "type", *PAIR_FEATURES)

    def __init__(self, features: Features) -> None:
        self.column = features.column("phi")

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the rotated copy; pt, eta, energy and all differences of azimuths stay."""
        angle = (draws.uniform(batch, stream=0) * 2.0 * math.pi).to(batch.nodes.dtype)
        nodes = batch.nodes.clone()
        nodes[:, self.column] = wrap_phi(nodes[:, self.column] + angle[batch.graph_index])
        return batch.replace(
            nodes=nodes, labels={name: _turned(name, value, angle) for name, value in batch.labels.items()}
        )


def _turned(name: str, value: Tensor, angle: Tensor) -> Tensor:
    return wrap_phi(value + angle) if name.endswith("_phi") else value
