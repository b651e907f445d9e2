"""Random loss of nodes, as from an inefficiency; a graph is never left without any."""

from __future__ import annotations

from typing import final

from pydantic import Field

from root_gnn.augmentations.chance import ChanceConfig, happens, survivors
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import EVENT_NODE_FEATURES, Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.subgraph import subgraph
from root_gnn.protocols import Augmentation


class Config(ChanceConfig):
    """How many nodes are lost.

    Attributes:
        fraction: probability of each node.
    """

    fraction: float = Field(0.1, gt=0, lt=1)

    def build(self, features: Features) -> DropNodes:
        """Builds the augmentation, which is the same for all columns."""
        del features  # nodes are dropped whatever their columns are
        return DropNodes(self)


@final
class DropNodes(Augmentation):
    """Drops each node by chance, independently; what is left stays as it is and in its order."""

    invariants = EVENT_NODE_FEATURES

    def __init__(self, config: Config) -> None:
        self.config = config

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the smaller copy, whose global `n_node` follows; raises ValueError for stored edges."""
        keep = survivors(draws.uniform_nodes(batch, stream=0), batch, self.config.fraction)
        untouched = ~happens(batch, draws, self.config.probability)[batch.graph_index]
        return subgraph(batch, keep | untouched)
