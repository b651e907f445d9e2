"""Batches of one shape: a step that is captured once, as a CUDA graph or by `torch.compile`, can be replayed on all of them.

What is missing is filled up with a graph that nobody asks about: nodes and edges of its own, copies of the first ones that are
there, so that nothing in it is out of range. Nothing passes between graphs, and the answers to it are cut off before the loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch

SPREAD = 6.0  # standard deviations between the mean size of a batch and the one that is kept free
N_PADDING_NODE = 2  # at least, as an edge has two ends


@dataclass(frozen=True)
class Shape:
    """Graphs, nodes and edges of every batch, padding included."""

    n_graph: int
    n_node: int
    n_edge: int

    @classmethod
    def of(cls, n_node: Tensor, batch_size: int) -> Self:
        """A shape that batches of `batch_size` graphs fit, drawn at random from those with `n_node (n_graph,)` nodes, int64."""
        n_edge = n_node * (n_node - 1)
        return cls(batch_size + 1, _most(n_node, batch_size) + N_PADDING_NODE, _most(n_edge, batch_size))

    def fits(self, batch: Batch) -> bool:
        """Whether a batch and its padding graph have room."""
        room = (self.n_graph - batch.n_graph, self.n_node - batch.total_node, self.n_edge - batch.n_edge)
        return room[0] >= 1 and room[1] >= N_PADDING_NODE and room[2] >= 0


def padded(batch: Batch, shape: Shape) -> Batch:
    """The graphs of a batch of complete graphs, its edges stored, then the padding graph and graphs without nodes; labels stay behind.

    A batch that has no room gets the first one of twice, four times ... the shape that has. Raises ValueError for stored edges.
    """
    if not batch.is_complete:
        raise ValueError("padding is defined for complete graphs; pad before edges are left out")
    while not shape.fits(batch):
        shape = Shape(2 * shape.n_graph, 2 * shape.n_node, 2 * shape.n_edge)
    n_graph, n_node, n_edge = (
        shape.n_graph - batch.n_graph,
        shape.n_node - batch.total_node,
        shape.n_edge - batch.n_edge,
    )
    device = batch.nodes.device
    place = torch.arange(n_edge, device=device) * n_node // max(n_edge, 1)  # as many for each node, ascending
    senders, receivers = batch.edge_index()
    counts = torch.nn.functional.pad(batch.n_node.new_full((1,), n_node), (0, n_graph - 1))
    return Batch(
        nodes=torch.cat([batch.nodes, batch.nodes[:1].expand(n_node, -1)]),
        globals=torch.cat([batch.globals, batch.globals[:1].expand(n_graph, -1)]),
        n_node=torch.cat([batch.n_node, counts]),
        graph_index=torch.nn.functional.pad(batch.graph_index, (0, n_node), value=batch.n_graph),
        n_edge=shape.n_edge,
        senders=torch.cat([senders, batch.total_node + (place + 1) % n_node]),
        receivers=torch.cat([receivers, batch.total_node + place]),
    )


def _most(size: Tensor, n: int) -> int:
    """What the sizes of `n` graphs add up to at most: surely with few, within six standard deviations with many."""
    largest = int(torch.topk(size, min(n, len(size))).values.sum())
    if len(size) <= n:
        return largest
    likely = n * float(size.double().mean()) + SPREAD * math.sqrt(n) * float(size.double().std())
    return min(largest, math.ceil(likely))
