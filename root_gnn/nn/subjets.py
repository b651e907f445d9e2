"""Constituents grouped into subjets, and the embedding of a subjet as one token (J-JEPA, arXiv:2412.05333)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn

from root_gnn.clustering.subjets import Algorithm, SubjetCache
from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_sum
from root_gnn.kinematics.fourvectors import to_cartesian, to_cylindrical
from root_gnn.nn.attention import Block, ClassAttention, block_states
from root_gnn.nn.buckets import Buckets
from root_gnn.nn.mlp import MLP
from root_gnn.nn.pooling import flattened
from root_gnn.nn.token_inputs import TokenEmbedding

Embedding = Literal["attention", "mlp", "linear"]
LARGEST_NUMBER = 1 << 20  # the numbers of a jet's subjets are smaller


@dataclass(frozen=True)
class Subjets:
    """The subjet of each constituent.

    `of_node (total_node,)`: the subjet of each constituent, counted over the batch; `order (total_node,)`: constituents
    by subjet, the hardest first; `n_constituent (n_subjet,)`; `n_subjet (n_graph,)`: subjets of each jet.
    """

    of_node: Tensor
    order: Tensor
    n_constituent: Tensor
    n_subjet: Tensor

    @classmethod
    def of(cls, batch: Batch, number: Tensor, pt: Tensor) -> Self:
        """Groups constituents by `number (total_node,)` of their subjet, -1 or more; waits for the device."""
        key = batch.graph_index * LARGEST_NUMBER + (number + 1).clamp(0, LARGEST_NUMBER - 1)
        subjet, of_node, count = torch.unique(key, return_inverse=True, return_counts=True)
        by_pt = torch.argsort(pt, descending=True, stable=True)
        order = by_pt[torch.argsort(of_node[by_pt], stable=True)]
        n_subjet = torch.zeros_like(batch.n_node).index_add(0, subjet // LARGEST_NUMBER, torch.ones_like(subjet))
        return cls(of_node, order, count, n_subjet)

    def constituents(self, rows: Tensor) -> Batch:
        """`rows (total_node, dim)` as a batch whose graphs are the subjets."""
        return Batch.of(rows[self.order], self.n_constituent)

    def momenta(self, kinematics: Tensor) -> Tensor:
        """pt, eta, phi, energy of each subjet, `(n_subjet, 4)`, from those of the constituents `(total_node, 4)`."""
        pt, eta, phi, energy = kinematics.unbind(1)
        total = segment_sum(
            torch.stack([*to_cartesian(pt, eta, phi), energy], 1), self.of_node, self.n_constituent.shape[0]
        )
        return torch.stack([*to_cylindrical(*total[:, :3].unbind(1)), total[:, 3]], 1)


class ColumnSubjets:
    """Subjets whose numbers are a node column."""

    def __init__(self, column: int) -> None:
        self.column = column

    def __call__(self, batch: Batch, kinematics: Tensor) -> Tensor:
        """The number of the subjet of each constituent, `(total_node,)`, int64."""
        del kinematics  # `ClusteredSubjets` needs them
        return batch.nodes[:, self.column].round().long()


class ClusteredSubjets:
    """Subjets clustered by FastJet, on the CPU, and cached by the ids of the jets; 0 is the hardest."""

    def __init__(self, *, algorithm: Algorithm, radius: float) -> None:
        self.find = SubjetCache(algorithm=algorithm, radius=radius)

    def __call__(self, batch: Batch, kinematics: Tensor) -> Tensor:
        """As `ColumnSubjets`, from `kinematics (total_node, 4)` = pt, eta, phi, energy.

        Raises MissingExtraError without FastJet.
        """
        ids = None if batch.ids is None else batch.ids.cpu().numpy()
        number = self.find(kinematics.detach().double().cpu().numpy(), batch.n_node.cpu().numpy(), ids)
        return torch.from_numpy(number).to(batch.nodes.device)


class FlatEmbedding(nn.Module):
    """The `n_constituent` hardest constituents, concatenated and padded with zeros, through linear layers."""

    def __init__(self, n_input: int, dim: int, *, n_constituent: int, n_layer: int) -> None:
        super().__init__()
        self.n_constituent = n_constituent
        self.layers = MLP((n_input * n_constituent,), dim, n_layer=n_layer)

    def forward(self, batch: Batch) -> Tensor:
        """A batch whose graphs are subjets, the hardest constituent first, to `(n_graph, dim)`."""
        out: Tensor = self.layers(flattened(batch, self.n_constituent))
        return out


class AttentionEmbedding(nn.Module):
    """Constituents of a subjet attend to each other, then a class token attends to them.

    Args:
        n_input: width of the inputs of a constituent.
        dim: width of the subjet's vector.
        n_head: number of attention heads.
        n_block: number of blocks among constituents.
        limit: number of constituents that are attended to at once.
    """

    def __init__(self, n_input: int, dim: int, *, n_head: int, n_block: int, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.embed = TokenEmbedding(n_input, (dim,))
        self.blocks = nn.ModuleList(Block(dim, n_head, scaled=False) for _ in range(n_block))
        self.ask = ClassAttention(dim, n_head, n_block=1)

    def forward(self, batch: Batch) -> Tensor:
        """A batch whose graphs are subjets to `(n_graph, dim)`."""
        buckets = Buckets.of(batch.n_node, batch.graph_index, self.limit)
        tokens = []
        for bucket, rows in zip(buckets.parts, buckets.pad(self.embed(batch.nodes)), strict=True):
            last = block_states(self.blocks, rows, bucket.mask[:, None, None, :])[-1]
            tokens.append(self.ask(last, bucket.mask))
        return buckets.per_graph(tokens)
