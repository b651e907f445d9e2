"""Batches padded to one shape, so that a step captured once, as a CUDA graph or by `torch.compile`, fits all of them.

Padding is a further graph with nodes and edges of its own. Its nodes are copies of the first node of the batch, so that
no value is out of range. Nothing passes between graphs, and its outputs are cut off before the loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch

SPREAD = 6.0  # standard deviations between the mean size of a batch and the size that padding makes room for
N_PADDING_NODE = 2  # at least, as an edge has two ends


@dataclass(frozen=True)
class Shape:
    """Graphs, nodes and edges of every batch, padding included."""

    n_graph: int
    n_node: int
    n_edge: int

    @classmethod
    def of(cls, n_node: Tensor, batch_size: int) -> Self:
        """A shape for batches of `batch_size` random graphs out of those with `n_node (n_graph,)` nodes, int64."""
        n_edge = n_node * (n_node - 1)
        return cls(batch_size + 1, _most(n_node, batch_size) + N_PADDING_NODE, _most(n_edge, batch_size))

    def fits(self, batch: Batch) -> bool:
        """Whether a batch and its padding graph fit into the shape."""
        room = (self.n_graph - batch.n_graph, self.n_node - batch.total_node, self.n_edge - batch.n_edge)
        return room[0] >= 1 and room[1] >= N_PADDING_NODE and room[2] >= 0


def padded(batch: Batch, shape: Shape) -> Batch:
    """A batch of complete graphs with its edges stored, then the padding graph and graphs without nodes; no labels.

    A batch that does not fit gets the first of twice, four times ... the shape into which it does. Raises ValueError
    for graphs with stored edges.
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
    node = torch.arange(n_edge, device=device) * n_node // max(n_edge, 1)  # spread evenly over the nodes, ascending
    senders, receivers = batch.edge_index()
    counts = torch.nn.functional.pad(batch.n_node.new_full((1,), n_node), (0, n_graph - 1))
    return Batch(
        nodes=torch.cat([batch.nodes, batch.nodes[:1].expand(n_node, -1)]),
        globals=torch.cat([batch.globals, batch.globals[:1].expand(n_graph, -1)]),
        n_node=torch.cat([batch.n_node, counts]),
        graph_index=torch.nn.functional.pad(batch.graph_index, (0, n_node), value=batch.n_graph),
        n_edge=shape.n_edge,
        senders=torch.cat([senders, batch.total_node + (node + 1) % n_node]),
        receivers=torch.cat([receivers, batch.total_node + node]),
    )


def _most(size: Tensor, n: int) -> int:
    """An upper bound of the sum of the sizes of `n` graphs: exact for few graphs, six standard deviations for many."""
    largest = int(torch.topk(size, min(n, len(size))).values.sum())
    if len(size) <= n:
        return largest
    likely = n * float(size.double().mean()) + SPREAD * math.sqrt(n) * float(size.double().std())
    return min(largest, math.ceil(likely))
