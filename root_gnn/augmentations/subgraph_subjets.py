"""Some of the subjets as a view of a jet."""

from __future__ import annotations

from typing import Literal, final

import torch
from pydantic import Field
from torch import Tensor

from root_gnn.augmentations.chance import ChanceConfig, happens, survivors
from root_gnn.augmentations.moving import Plane
from root_gnn.clustering.subjets import subjets
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import EVENT_NODE_FEATURES, Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.segment import segment_max
from root_gnn.graph.subgraph import subgraph
from root_gnn.protocols import Augmentation


class Config(ChanceConfig):
    """What a subjet is, and how many are kept.

    Attributes:
        fraction: probability of each subjet to be left out.
        algorithm: `cone` as the class below says, or `cambridge` and `antikt` by FastJet, on the CPU in every step.
        radius: of a subjet.
        max_subjets: so many cones; what is in none of them stands for itself. Clustering finds as many as there are.
    """

    fraction: float = Field(0.5, gt=0, lt=1)
    algorithm: Literal["cone", "cambridge", "antikt"] = "cone"
    radius: float = Field(0.2, gt=0)
    max_subjets: int = Field(12, ge=1)

    def build(self, features: Features) -> SubgraphSubjets:
        """Builds the augmentation for batches with these columns."""
        return SubgraphSubjets(features, self)


@final
class SubgraphSubjets(Augmentation):
    """Drops all constituents of a subjet together; at least one subjet of a jet remains, and the order is kept.

    A `cone` is all within the radius of the hardest constituent, the next all within that of the hardest outside, and
    so on: array operations on any device, and nothing to install. Clustered subjets are those that subjet encoders and
    objectives read; they are found anew for every batch, since the constituents may have been moved before.
    """

    invariants = EVENT_NODE_FEATURES
    jets_only = True

    def __init__(self, features: Features, config: Config) -> None:
        self.plane, self.config = Plane(features), config

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the smaller copy; its global `n_node` follows.

        Raises ValueError for stored edges, MissingExtraError without FastJet.
        """
        owner = self.cones(batch) if self.config.algorithm == "cone" else self.clustered(batch, self.config.algorithm)
        score = draws.uniform_nodes(batch, stream=0)[owner]
        untouched = ~happens(batch, draws, self.config.probability)[batch.graph_index]
        return subgraph(batch, survivors(score, batch, self.config.fraction) | untouched)

    def cones(self, batch: Batch) -> Tensor:
        """The row of the constituent in the middle of each constituent's cone, `(total_node,)` int64."""
        row = torch.arange(batch.total_node, device=batch.nodes.device)
        if not batch.total_node:
            return row
        pt, owner = batch.nodes[:, self.plane.pt].double(), row
        free = torch.ones_like(row, dtype=torch.bool)
        for _ in range(self.config.max_subjets):
            middle = _first_hardest(torch.where(free, pt, -1.0), batch)
            centre = batch.nodes[middle].double()
            x, y = self.plane.offsets(batch, centre[:, self.plane.eta], centre[:, self.plane.phi])
            inside = free & (x * x + y * y <= self.config.radius**2)
            owner = torch.where(inside, middle[batch.graph_index], owner)
            free = free & ~inside
        return owner

    def clustered(self, batch: Batch, algorithm: Literal["cambridge", "antikt"]) -> Tensor:
        """The row of the first constituent of each constituent's subjet, `(total_node,)` int64."""
        columns = [self.plane.pt, self.plane.eta, self.plane.phi, self.plane.energy]
        kinematics = batch.nodes[:, columns].detach().double().cpu().numpy()
        found = subjets(kinematics, batch.n_node.cpu().numpy(), algorithm=algorithm, radius=self.config.radius)
        place = torch.from_numpy(found).to(batch.nodes.device)
        row = torch.arange(batch.total_node, device=place.device)
        key = batch.graph_index * max(batch.total_node, 1) + place
        _, subjet = torch.unique(key, return_inverse=True)
        return torch.full_like(row, batch.total_node).scatter_reduce(0, subjet, row, "amin")[subjet]


def _first_hardest(pt: Tensor, batch: Batch) -> Tensor:
    """Returns the first row with the largest `pt (total_node,)` of each graph, `(n_graph,)` int64; 0 without nodes."""
    largest = segment_max(pt.unsqueeze(1), batch.n_node).squeeze(1)[batch.graph_index]
    row = torch.arange(batch.total_node, device=pt.device, dtype=pt.dtype)
    before = segment_max(torch.where(pt == largest, -row, -torch.inf).unsqueeze(1), batch.n_node).squeeze(1)
    return (-before).clamp(min=0.0).long()
