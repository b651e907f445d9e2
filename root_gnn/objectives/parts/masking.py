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
    """How many nodes are hidden, and which.

    Attributes:
        ratio: part of a graph's nodes, rounded, one at least; a graph of one node hides none.
        at_most: never more than so many.
        exactly: so many instead of a ratio.
        region: `random` nodes, or a `ball`: a random one and those nearest to it in (eta, phi).
        hardest: only the so many nodes of largest pt may be hidden; null for all.
        fewest: graphs of fewer nodes hide none.
    """

    ratio: Fraction = 0.3
    at_most: Count | None = None
    exactly: Count | None = None
    region: Literal["random", "ball"] = "random"
    hardest: Count | None = None
    fewest: Count = 2

    def chosen(self, batch: Batch, draws: RandomStream, columns: tuple[int, int, int]) -> Tensor:
        """True for the nodes to hide, bool `(total_node,)`; `columns` are those of pt, eta and phi.

        Every graph keeps one node at least. Only real nodes are drawn: there is no padding.
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
    """A batch cut in two: `known` is all that the encoder is shown, `hidden` what it is asked about."""

    known: Batch
    hidden: Batch

    @classmethod
    def of(cls, batch: Batch, hide: Tensor) -> Self:
        """Splits a batch by `hide (total_node,)`.

        A boolean mask waits for the device, since it decides the number of rows.
        """
        return cls(subgraph(batch, ~hide), subgraph(batch, hide))
