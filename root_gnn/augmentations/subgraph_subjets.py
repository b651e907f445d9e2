"""Some of the subjets as a view of a jet."""

from __future__ import annotations

from typing import final

import torch
from pydantic import Field
from torch import Tensor

from root_gnn.augmentations.chance import ChanceConfig, happens, survivors
from root_gnn.augmentations.moving import Plane
from root_gnn.graph.batch import Batch
from root_gnn.graph.draws import Draws
from root_gnn.graph.features import EVENT_NODE_FEATURES, Features
from root_gnn.graph.segment import segment_max
from root_gnn.graph.subgraph import subgraph
from root_gnn.protocols import Augmentation


class Config(ChanceConfig):
    """What a subjet is, and how many are kept.

    Attributes:
        fraction: the chance of each subjet to be left out.
        radius: of a subjet's cone.
        max_subjets: so many cones; what is in none of them stands for itself.
    """

    fraction: float = Field(0.5, gt=0, lt=1)
    radius: float = Field(0.2, gt=0)
    max_subjets: int = Field(12, ge=1)

    def build(self, features: Features) -> SubgraphSubjets:
        """The augmentation for batches with these columns."""
        return SubgraphSubjets(features, self)


@final
class SubgraphSubjets(Augmentation):
    """Leaves out the constituents of a subjet together; a jet keeps one of its subjets at least. What is kept stays in its order.

    Subjets are fixed cones: around the hardest constituent, then around the hardest outside of it, and so on. That is array
    operations on any device in every step, without clustering; the subjets that encoders read are clustered properly.
    """

    invariants = EVENT_NODE_FEATURES
    jets_only = True

    def __init__(self, features: Features, config: Config) -> None:
        self.plane, self.config = Plane(features), config

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        """The smaller copy; its global `n_node` follows. Raises ValueError for stored edges."""
        score = draws.uniform_nodes(batch, stream=0)[self.cones(batch)]
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


def _first_hardest(pt: Tensor, batch: Batch) -> Tensor:
    """The first row with the largest `pt (total_node,)` of each graph, `(n_graph,)` int64; 0 for a graph without nodes."""
    largest = segment_max(pt.unsqueeze(1), batch.n_node).squeeze(1)[batch.graph_index]
    row = torch.arange(batch.total_node, device=pt.device, dtype=pt.dtype)
    before = segment_max(torch.where(pt == largest, -row, -torch.inf).unsqueeze(1), batch.n_node).squeeze(1)
    return (-before).clamp(min=0.0).long()
