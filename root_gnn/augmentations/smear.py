"""Soft smearing of directions, larger for softer constituents (Dillon et al. 2021, arXiv:2108.04253)."""

from __future__ import annotations

import math
from typing import final

import torch
from pydantic import Field

from root_gnn.augmentations.chance import ChanceConfig, happens
from root_gnn.augmentations.moving import Plane
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import Augmentation


class Config(ChanceConfig):
    """How wide the directions are smeared.

    Attributes:
        scale: Lambda in GeV; eta and phi get a normal number of width Lambda over pt.
        min_pt: GeV; softer constituents are smeared as if they had this pt.
    """

    scale: float = Field(0.1, gt=0)
    min_pt: float = Field(0.1, gt=0)

    def build(self, features: Features) -> Smear:
        """Builds the augmentation for batches with these columns."""
        return Smear(features, self)


@final
class Smear(Augmentation):
    """Adds normal noise of width `scale / max(pt, min_pt)` to eta and phi; pt and mass are unchanged.

    Energies follow eta.
    """

    invariants = ("pt", "btag", "charge", "type", "ln_z")
    jets_only = True

    def __init__(self, features: Features, config: Config) -> None:
        self.plane, self.config = Plane(features), config

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the smeared copy."""
        pt = batch.nodes[:, self.plane.pt].double().clamp(min=self.config.min_pt)
        width = self.config.scale / pt * happens(batch, draws, self.config.probability)[batch.graph_index]
        # Two independent normal numbers from two uniform ones (Box, Muller 1958).
        distance = (-2.0 * torch.log1p(-draws.uniform_nodes(batch, stream=0))).sqrt() * width
        angle = 2.0 * math.pi * draws.uniform_nodes(batch, stream=1)
        return batch.replace(nodes=self.plane.moved(batch, distance * angle.cos(), distance * angle.sin()))
