"""Graphs of similar size side by side in padded blocks, so that attention pays for hardly any padding.

Sorted by size, the graphs are cut into buckets of about the same number of nodes; each is padded to its own largest graph.
The sizes of the buckets are Python numbers: they are read from `n_node` once, in `Buckets.of`, and a device is waited for
there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_start


@dataclass(frozen=True)
class Bucket:
    """Some graphs padded to the largest of them.

    `rows (n_graph, length)`: the node that stands at each place, or the number of nodes where none does; `mask` is true
    where one does. `length` is 0 for graphs without nodes.
    """

    rows: Tensor
    mask: Tensor

    @property
    def length(self) -> int:
        """Places of each graph."""
        return self.rows.shape[1]

    @property
    def n_graph(self) -> int:
        """Graphs in the bucket."""
        return self.rows.shape[0]


@dataclass(frozen=True)
class Buckets:
    """The graphs of a batch in buckets of ascending size; graphs without nodes are a bucket of their own, the first.

    `position (total_node,)`: the place of each node among all places of all buckets; `graph_position (n_graph,)`: the
    place of each graph among the sorted ones; `n_pair`: unordered pairs in all graphs, each node with itself among them.
    """

    parts: tuple[Bucket, ...]
    position: Tensor
    graph_position: Tensor
    n_pair: int

    @classmethod
    def of(cls, batch: Batch, limit: int) -> Self:
        """Buckets of about `limit` nodes each (waits for the device once, to learn the sizes)."""
        n_node, device = batch.n_node.cpu(), batch.n_node.device
        ordered, order = torch.sort(n_node, stable=True)
        part = torch.where(ordered > 0, 1 + (torch.cumsum(ordered, 0) - 1) // limit, 0)
        _, count = torch.unique_consecutive(part, return_counts=True)
        length = ordered[torch.cumsum(count, 0) - 1]
        n_place = torch.repeat_interleave(length, count)
        first_place = torch.zeros_like(n_node).index_put((order,), segment_start(n_place)).to(device, non_blocking=True)
        graph_position = torch.argsort(order).to(device, non_blocking=True)
        position = first_place[batch.graph_index] + places(batch)
        total = int(n_place.sum())
        rows = torch.full((total,), batch.total_node, device=device)
        rows = rows.index_put((position,), torch.arange(batch.total_node, device=device))
        pieces = torch.split(rows, (count * length).tolist())
        sizes = zip(count.tolist(), length.tolist(), strict=True)
        blocks = [piece.view(size) for piece, size in zip(pieces, sizes, strict=True)]
        parts = tuple(Bucket(block, block < batch.total_node) for block in blocks)
        return cls(parts, position, graph_position, int((n_node * (n_node + 1)).sum()) // 2)

    def pad(self, rows: Tensor) -> list[Tensor]:
        """`rows (total_node, dim)` as one `(n_graph, length, dim)` a bucket, zero where padded."""
        longer = torch.cat([rows, rows.new_zeros(1, rows.shape[1])])
        return [longer[part.rows] for part in self.parts]

    def flat(self, padded: Sequence[Tensor]) -> Tensor:
        """The inverse of `pad`: `(total_node, dim)`."""
        return torch.cat([part.flatten(0, 1) for part in padded])[self.position]

    def per_graph(self, rows: Sequence[Tensor]) -> Tensor:
        """One `(n_graph, dim)` a bucket as `(n_graph, dim)` of the whole batch, in its order."""
        return torch.cat(list(rows))[self.graph_position]


def places(batch: Batch) -> Tensor:
    """The place of each node in its graph, from 0: `(total_node,)`."""
    return torch.arange(batch.total_node, device=batch.n_node.device) - segment_start(batch.n_node)[batch.graph_index]
