"""The mask of nodes of a graph, and the batch that the encoder reads: the nodes that are not masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Self

import torch
from pydantic import Field
from torch import Tensor

from root_gnn.config.section import Section
from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.subgraph import smallest, subgraph
from root_gnn.kinematics.angles import delta_phi
from root_gnn.nn.positional_encoding import first_by, place_by

Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
SEED, SCORE = 101, 102  # streams of random numbers, far from those of augmentations


class Masking(Section):
    """How many nodes are masked, and which.

    Attributes:
        ratio: share of a graph's nodes, rounded, at least one node; a graph of one node has none masked.
        at_most: the largest number of masked nodes.
        exactly: a fixed number instead of a ratio.
        region: `random` nodes, or a `ball`: a random node and those nearest to it in (eta, phi).
        hardest: mask only among this many nodes with the largest pt; null for all nodes.
        fewest: graphs with fewer nodes have none masked.
    """

    ratio: Fraction = 0.3
    at_most: Count | None = None
    exactly: Count | None = None
    region: Literal["random", "ball"] = "random"
    hardest: Count | None = None
    fewest: Count = 2

    def chosen(self, batch: Batch, draws: RandomStream, columns: tuple[int, int, int]) -> Tensor:
        """Returns the mask, bool `(total_node,)`: true for the nodes to mask.

        Every graph keeps at least one node. Only real nodes are drawn, since there is no padding.

        Args:
            batch: the graphs.
            draws: the stream of random numbers.
            columns: columns of pt, eta and phi.
        """
        n_node = batch.n_node
        wanted = (
            torch.round(n_node * self.ratio).long().clamp(min=1)
            if self.exactly is None
            else torch.full_like(n_node, self.exactly)
        )
        if self.at_most is not None:
            wanted = wanted.clamp(max=self.at_most)
        wanted = torch.minimum(wanted, (n_node - 1).clamp(min=0)) * (n_node >= self.fewest)
        pt, eta, phi = columns
        if self.region == "ball" and batch.total_node > 0:
            seed = batch.nodes[first_by(draws.uniform_nodes(batch, SEED), batch)][batch.graph_index]
            deta, dphi = batch.nodes[:, eta] - seed[:, eta], delta_phi(batch.nodes[:, phi], seed[:, phi])
            score = (deta * deta + dphi * dphi).double()
        else:
            score = draws.uniform_nodes(batch, SCORE)
        if self.hardest is not None:
            is_soft = place_by(-batch.nodes[:, pt], batch) >= self.hardest
            wanted = torch.minimum(wanted, torch.full_like(wanted, self.hardest))
            score = torch.where(is_soft, torch.inf, score)
        return smallest(score, batch, wanted)


@dataclass(frozen=True)
class MaskedParts:
    """A batch cut in two: `known`, which the encoder sees, and `hidden`, which it predicts."""

    known: Batch
    hidden: Batch

    @classmethod
    def of(cls, batch: Batch, hide: Tensor) -> Self:
        """Splits a batch by the mask `hide (total_node,)`.

        This waits for the device, since the mask decides the number of rows.
        """
        return cls(subgraph(batch, ~hide), subgraph(batch, hide))
