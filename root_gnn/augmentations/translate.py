"""Translation of a jet in the (eta, phi) plane (Dillon et al. 2021, arXiv:2108.04253)."""

from __future__ import annotations

from typing import final

from pydantic import Field

from root_gnn.augmentations.chance import ChanceConfig, happens
from root_gnn.augmentations.moving import Plane
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.kinematics.angles import wrap_phi
from root_gnn.protocols import Augmentation


class Config(ChanceConfig):
    """How far a jet is moved.

    Attributes:
        width: the shift is uniform between minus and plus this many times the jet's extent, in eta and in phi.
    """

    width: float = Field(1.0, gt=0)

    def build(self, features: Features) -> Translate:
        """Builds the augmentation for batches with these columns."""
        return Translate(features, self)


@final
class Translate(Augmentation):
    """Shifts all constituents of a jet together, by up to `width` times the extent of the jet in eta and in phi.

    pt and mass of each stay, and so do all differences; energies follow eta. `deta` and `dphi`, where the data have
    them, move along, as if the jet's axis had been measured wrongly: what is relative to the axis is what a jet network
    reads. A jet of one constituent stays. Labels `*_eta` and `*_phi` move along.
    """

    invariants = ("pt", "btag", "charge", "type", "delta_eta", "delta_phi", "delta_r", "ln_kt", "ln_z")
    jets_only = True

    def __init__(self, features: Features, config: Config) -> None:
        self.plane = Plane(features)
        self.width, self.probability = config.width, config.probability

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the moved copy."""
        width = self.width * happens(batch, draws, self.probability)
        extent_eta, extent_phi = self.plane.extent(batch)
        d_eta = (2.0 * draws.uniform(batch, stream=0) - 1.0) * width * extent_eta
        d_phi = (2.0 * draws.uniform(batch, stream=1) - 1.0) * width * extent_phi
        labels = dict(batch.labels)
        for name, value in labels.items():
            if name.endswith("_eta"):
                labels[name] = (value.double() + d_eta).to(value.dtype)
            if name.endswith("_phi"):
                labels[name] = wrap_phi(value.double() + d_phi).to(value.dtype)
        nodes = self.plane.moved(batch, d_eta[batch.graph_index], d_phi[batch.graph_index])
        return batch.replace(nodes=nodes, labels=labels)
