"""A random share of the nodes as a view of a graph (You et al. 2020, arXiv:2010.13902)."""

from __future__ import annotations

from typing import final

from pydantic import Field

from root_gnn.augmentations.chance import ChanceConfig, happens, share
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import EVENT_NODE_FEATURES, Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.subgraph import smallest, subgraph
from root_gnn.protocols import Augmentation


class Config(ChanceConfig):
    """How much is kept.

    Attributes:
        fraction: share of the nodes, to the nearest number and at least one.
    """

    fraction: float = Field(0.5, gt=0, lt=1)

    def build(self, features: Features) -> SubgraphRandom:
        """Builds the augmentation, which is the same for all columns."""
        del features  # nodes are dropped whatever their columns are
        return SubgraphRandom(self)


@final
class SubgraphRandom(Augmentation):
    """Keeps a fixed share of the nodes of each graph, any of them with the same chance, in their order."""

    invariants = EVENT_NODE_FEATURES

    def __init__(self, config: Config) -> None:
        self.config = config

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the smaller copy, whose global `n_node` follows; raises ValueError for stored edges."""
        keep = smallest(draws.uniform_nodes(batch, stream=0), batch, share(batch, self.config.fraction))
        untouched = ~happens(batch, draws, self.config.probability)[batch.graph_index]
        return subgraph(batch, keep | untouched)
