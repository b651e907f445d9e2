"""Graphs of similar size side by side in padded blocks, so that attention pays for hardly any padding.

Sorted by size, the graphs are cut into buckets of about the same number of nodes; each is padded to its own largest
graph. The sizes of the buckets are Python numbers: `Buckets.of` reads them from `n_node`, and nothing else waits for
the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from root_gnn.graph.segment import segment_place, segment_start


@dataclass(frozen=True)
class Bucket:
    """Some graphs padded to the largest of them.

    `rows (n_graph, length)`: the node at each position, or the number of nodes where it is padding; `mask` is false for
    padding. `length` is 0 for graphs without nodes. `n_node (n_graph,)` counts the nodes of each graph.
    """

    rows: Tensor
    mask: Tensor
    n_node: Tensor

    @property
    def length(self) -> int:
        """Positions of each graph, padding included."""
        return self.rows.shape[1]

    @property
    def n_graph(self) -> int:
        """Number of graphs in the bucket."""
        return self.rows.shape[0]


@dataclass(frozen=True)
class Buckets:
    """The graphs of a batch in buckets of ascending size; graphs without nodes are a bucket of their own, the first.

    Attributes:
        parts: the buckets.
        rows: `Bucket.rows` of all buckets, flattened, `(n_position,)`.
        nodes: the same without padding, `(total_node,)`.
        position: the index of each node in `rows`, `(total_node,)`.
        graph_position: the index of each graph among the sorted ones, `(n_graph,)`.
        n_node: sizes of the sorted graphs, `(n_graph,)`.
        n_pair: unordered pairs in the graphs of each bucket, pairs of a node with itself included.
    """

    parts: tuple[Bucket, ...]
    rows: Tensor
    nodes: Tensor
    position: Tensor
    graph_position: Tensor
    n_node: Tensor
    n_pair: list[int]

    @classmethod
    def of(cls, n_node: Tensor, graph_index: Tensor, limit: int) -> Self:
        """Buckets of about `limit` nodes each, from `n_node (n_graph,)` and `graph_index (total_node,)` of a batch.

        Waits for the device once, to read the sizes. When a network is exported, all graphs are in one bucket.
        """
        if torch.compiler.is_exporting():
            return cls._together(n_node, graph_index)
        total, device = graph_index.shape[0], n_node.device
        # Sizes are needed on the host for shapes: this is the one wait for the device. Graphs of about equal size share
        # a bucket, so little of it is padding; graphs without nodes have one of their own.
        ordered, order = torch.sort(n_node.cpu(), stable=True)
        part = torch.where(ordered > 0, 1 + (torch.cumsum(ordered, 0) - 1) // limit, 0)
        _, part, count = torch.unique_consecutive(part, return_inverse=True, return_counts=True)
        length = ordered[torch.cumsum(count, 0) - 1]
        n_pair = torch.zeros_like(count).index_add(0, part, ordered * (ordered + 1) // 2)
        n_position = torch.repeat_interleave(length, count)
        # From here on: where each node goes in the padded buckets (`position`), and back (`rows`).
        first_place = (
            torch.zeros_like(ordered).index_put((order,), segment_start(n_position)).to(device, non_blocking=True)
        )
        first_node = torch.zeros_like(ordered).index_put((order,), segment_start(ordered)).to(device, non_blocking=True)
        graph_position = torch.argsort(order).to(device, non_blocking=True)
        place, every = segment_place(graph_index, n_node), torch.arange(total, device=device)
        position = first_place[graph_index] + place
        rows = torch.full((int(n_position.sum()),), total, device=device).index_put((position,), every)
        nodes = torch.empty_like(every).index_put((first_node[graph_index] + place,), every)
        sizes, shapes = ordered.to(device, non_blocking=True), list(zip(count.tolist(), length.tolist(), strict=True))
        blocks = zip(
            torch.split(rows, [a * b for a, b in shapes]), shapes, torch.split(sizes, count.tolist()), strict=True
        )
        parts = tuple(Bucket(block.view(shape), block.view(shape) < total, size) for block, shape, size in blocks)
        return cls(parts, rows, nodes, position, graph_position, sizes, n_pair.tolist())

    @classmethod
    def _together(cls, n_node: Tensor, graph_index: Tensor) -> Self:
        """All graphs in one bucket, as an export needs the same number of buckets for all batches.

        At least one graph must have 2 nodes.
        """
        total = graph_index.shape[0]
        length, n_pair = (_size(number) for number in (n_node.max(), (n_node * (n_node + 1) // 2).sum()))
        every = torch.arange(total, device=n_node.device)
        place, known = torch.arange(length, device=n_node.device), torch.arange(n_node.shape[0], device=n_node.device)
        mask = place < n_node.unsqueeze(1)
        rows = torch.where(mask, segment_start(n_node).unsqueeze(1) + place, total)
        position = graph_index * length + segment_place(graph_index, n_node)
        return cls((Bucket(rows, mask, n_node),), rows.flatten(), every, position, known, n_node, [n_pair])

    def pad(self, rows: Tensor) -> list[Tensor]:
        """`rows (total_node, dim)` as one `(n_graph, length, dim)` for each bucket, zero where padded."""
        # one gather for all buckets, since the gradient of each gather is as large as `rows`
        padded = torch.cat([rows, rows.new_zeros(1, rows.shape[1])])[self.rows]
        pieces = torch.split(padded, [part.rows.numel() for part in self.parts])
        return [piece.view(*part.rows.shape, rows.shape[1]) for piece, part in zip(pieces, self.parts, strict=True)]

    def flat(self, padded: Sequence[Tensor]) -> Tensor:
        """The inverse of `pad`: `(total_node, dim)`."""
        return torch.cat([part.flatten(0, 1) for part in padded])[self.position]

    def per_graph(self, rows: Sequence[Tensor]) -> Tensor:
        """One `(n_graph, dim)` for each bucket as `(n_graph, dim)` of the whole batch, in its order."""
        return torch.cat(list(rows))[self.graph_position]


def _size(number: Tensor) -> int:
    """A number of at least 2 as a variable size of an exported network."""
    size: int = number.item()  # type: ignore[assignment]
    torch._check(size >= 2)  # type: ignore[no-untyped-call]
    return size
