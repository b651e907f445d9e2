"""Rotation of a jet about its axis in the (eta, phi) plane (Dillon et al. 2021, arXiv:2108.04253)."""

from __future__ import annotations

import math
from typing import final

from torch import Tensor

from root_gnn.augmentations.chance import ChanceConfig, happens
from root_gnn.augmentations.moving import Plane, truth_directions
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.kinematics.angles import delta_phi, wrap_phi
from root_gnn.protocols import Augmentation


class Config(ChanceConfig):
    """The angle is uniform in [0, 2 pi)."""

    def build(self, features: Features) -> Rotate:
        """Builds the augmentation for batches with these columns."""
        return Rotate(features, self)


@final
class Rotate(Augmentation):
    """Rotates the constituents of a jet about their pt-weighted centre; `rotate_phi` rotates events about the beam.

    Distances in the plane stay, and so do pt and mass; energies follow eta. It is a symmetry of a jet up to its mass,
    since m^2 = 2 pt_1 pt_2 (cosh deta - cos dphi) is isotropic for small angles only. Labels `*_eta`, `*_phi` turn
    along.
    """

    invariants = ("pt", "btag", "charge", "type", "delta_r", "ln_kt", "ln_z")
    jets_only = True

    def __init__(self, features: Features, config: Config) -> None:
        self.plane = Plane(features)
        self.probability = config.probability

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the rotated copy."""
        angle = draws.uniform(batch, stream=0) * (2.0 * math.pi) * happens(batch, draws, self.probability)
        eta, phi = self.plane.centre(batch)
        turn_eta, turn_phi = _turn(*self.plane.offsets(batch, eta, phi), angle[batch.graph_index])
        labels = dict(batch.labels)
        for name_eta, name_phi in truth_directions(labels):
            old_eta, old_phi = labels[name_eta].double(), labels[name_phi].double()
            x, y = _turn(old_eta - eta, delta_phi(old_phi, phi), angle)
            labels[name_eta] = (old_eta + x).to(labels[name_eta].dtype)
            labels[name_phi] = wrap_phi(old_phi + y).to(labels[name_phi].dtype)
        return batch.replace(nodes=self.plane.moved(batch, turn_eta, turn_phi), labels=labels)


def _turn(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """By how much a point moves; exactly zero for no angle."""
    less, sine = angle.cos() - 1.0, angle.sin()
    return x * less - y * sine, x * sine + y * less
