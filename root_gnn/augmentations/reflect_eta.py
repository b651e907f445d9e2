"""Reflection of half of the events along the beam, eta to -eta: an exact symmetry of proton-proton collisions.

The exact statement is a turn by pi about a transverse axis; it equals this reflection up to a reflection in azimuth,
under which rates are even as long as no absorptive phases enter, as in every simulation at leading order.
"""

from __future__ import annotations

from typing import final

import torch

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import Augmentation, AugmentationConfig


class Config(AugmentationConfig):
    """There is nothing to choose: half of the events are reflected."""

    def build(self, features: Features) -> ReflectEta:
        """Builds the augmentation for batches with these columns."""
        return ReflectEta(features)


@final
class ReflectEta(Augmentation):
    """Changes the sign of every eta of an event, those of truth labels (`*_eta`) included."""

    invariants = ("pt", "phi", "energy", "btag", "charge", "type", "delta_phi", "delta_r", "ln_kt", "ln_z", "ln_m2")

    def __init__(self, features: Features) -> None:
        self.column = features.column("eta")

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the reflected copy; pt, phi, energy and all distances stay."""
        sign = torch.where(draws.uniform(batch, stream=0) < 0.5, -1.0, 1.0).to(batch.nodes.dtype)
        nodes = batch.nodes.clone()
        nodes[:, self.column] = nodes[:, self.column] * sign[batch.graph_index]
        labels = {name: value * sign if name.endswith("_eta") else value for name, value in batch.labels.items()}
        return batch.replace(nodes=nodes, labels=labels)
