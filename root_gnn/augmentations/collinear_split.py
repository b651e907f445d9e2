"""Collinear splitting of constituents, which leaves observables unchanged (Dillon et al. 2021, arXiv:2108.04253)."""

from __future__ import annotations

from typing import final

import torch
from pydantic import Field
from torch import Tensor

from root_gnn.augmentations.chance import ChanceConfig, happens
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.subgraph import smallest
from root_gnn.protocols import Augmentation

LARGEST_FRACTION = 1.0 - 1e-6  # leaves the softer piece some pt in float32


class Config(ChanceConfig):
    """How many constituents are split.

    Attributes:
        fraction: probability of each constituent.
        max_nodes: a graph grows to at most so many nodes, null for no limit; one that has more is left as it is.
            `fraction: 1.0` with `max_nodes: 50` fills jets up as published.
    """

    fraction: float = Field(0.5, gt=0, le=1)
    max_nodes: int | None = Field(None, ge=1)

    def build(self, features: Features) -> CollinearSplit:
        """Builds the augmentation for batches with these columns."""
        return CollinearSplit(features, self)


@final
class CollinearSplit(Augmentation):
    """Splits constituents into two of the same direction, the harder piece first; a constituent is split at most once.

    The share is uniform. pt adds up bit for bit; energy, and `mass` where there is such a column, are shared as pt is
    and add up to rounding. Every other column is copied. Constituents without pt are never split. Stored edges are
    refused with ValueError.
    """

    invariants = ("eta", "phi", "btag", "charge", "type", "sum_pt", "sum_energy")
    jets_only = True

    def __init__(self, features: Features, config: Config) -> None:
        self.config = config
        self.pt = features.column("pt")
        self.shared = [features.column(name) for name in ("energy", "mass") if name in features.nodes]

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the copy with more nodes, whose global `n_node` follows."""
        if not batch.is_complete:
            raise ValueError("nodes are split in complete graphs; choose the nodes before making edges")
        split = self._chosen(batch, draws)
        total = batch.total_node + int(split.sum())
        mother = torch.repeat_interleave(split.long() + 1, output_size=total)
        is_second = torch.zeros_like(mother, dtype=torch.bool)
        is_second[1:] = mother[1:] == mother[:-1]
        harder, softer = self._pieces(batch.nodes, draws.uniform_nodes(batch, stream=1))
        rows = torch.cat([torch.where(split.unsqueeze(1), harder, batch.nodes), softer])
        nodes = rows[mother + batch.total_node * is_second]
        n_node = batch.n_node.index_add(0, batch.graph_index, split.long())
        globals_ = torch.cat([n_node.to(batch.globals.dtype).unsqueeze(1), batch.globals[:, 1:]], dim=1)
        return Batch.of(nodes, n_node, globals=globals_, labels=batch.labels, weights=batch.weights, ids=batch.ids)

    def _chosen(self, batch: Batch, draws: RandomStream) -> Tensor:
        """Which nodes are split, `(total_node,)` bool."""
        score = torch.where(batch.nodes[:, self.pt] > 0.0, draws.uniform_nodes(batch, stream=0), torch.inf)
        chosen = (score < self.config.fraction) & happens(batch, draws, self.config.probability)[batch.graph_index]
        if self.config.max_nodes is None:
            return chosen
        return chosen & smallest(score, batch, (self.config.max_nodes - batch.n_node).clamp(min=0))

    def _pieces(self, nodes: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
        """All nodes' harder and softer pieces."""
        harder, softer = nodes.clone(), nodes.clone()
        pt = nodes[:, self.pt]
        # At least half of pt: then the rest is exact in floating point (Sterbenz 1974), and the two add up bit for bit.
        harder[:, self.pt] = (pt.double() * torch.maximum(share, 1.0 - share).clamp(max=LARGEST_FRACTION)).to(pt.dtype)
        softer[:, self.pt] = pt - harder[:, self.pt]
        part = softer[:, self.pt].double() / torch.where(pt > 0.0, pt, 1.0).double()
        for column in self.shared:
            softer[:, column] = (nodes[:, column].double() * part).to(nodes.dtype)
            harder[:, column] = nodes[:, column] - softer[:, column]
        return harder, softer
