"""The nearest neighbours of a random node as a view of a graph."""

from __future__ import annotations

from typing import final

import torch
from pydantic import Field

from root_gnn.augmentations.chance import ChanceConfig, happens, share
from root_gnn.augmentations.moving import Plane
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import EVENT_NODE_FEATURES, Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.segment import segment_start
from root_gnn.graph.subgraph import smallest, subgraph
from root_gnn.protocols import Augmentation


class Config(ChanceConfig):
    """How much is kept.

    Attributes:
        fraction: share of the nodes, to the nearest number and at least one.
    """

    fraction: float = Field(0.5, gt=0, lt=1)

    def build(self, features: Features) -> SubgraphBall:
        """Builds the augmentation for batches with these columns."""
        return SubgraphBall(features, self)


@final
class SubgraphBall(Augmentation):
    """Keeps a random node and those nearest to it in (eta, phi), a fixed share of each graph, in their order.

    Every node is the centre with the same chance. Missing momentum, which has no eta, takes part at the eta it is
    given, zero.
    """

    invariants = EVENT_NODE_FEATURES

    def __init__(self, features: Features, config: Config) -> None:
        self.plane, self.config = Plane(features), config

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the smaller copy, whose global `n_node` follows; raises ValueError for stored edges."""
        if not batch.total_node:
            return subgraph(batch, torch.ones_like(batch.graph_index, dtype=torch.bool))
        place = (draws.uniform(batch, stream=0) * batch.n_node).long()  # below n_node, since the draw is below 1
        middle = (segment_start(batch.n_node) + place).clamp(
            max=batch.total_node - 1
        )  # a last graph without nodes has no centre
        centre = batch.nodes[middle].double()
        x, y = self.plane.offsets(batch, centre[:, self.plane.eta], centre[:, self.plane.phi])
        keep = smallest(x * x + y * y, batch, share(batch, self.config.fraction))
        untouched = ~happens(batch, draws, self.config.probability)[batch.graph_index]
        return subgraph(batch, keep | untouched)
