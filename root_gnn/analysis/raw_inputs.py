"""What a model without an encoder reads: the columns of an event's nodes as they are, pooled or one after the other."""

from __future__ import annotations

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_mean, segment_start, segment_sum

N_HARDEST = 30


def pooled(batch: Batch) -> Tensor:
    """Mean and sum of every node column and the globals of each graph: `(n_graph, 2 n_feature + n_global)`."""
    nodes = batch.nodes.double()
    mean = segment_mean(nodes, batch.graph_index, batch.n_node)
    return torch.cat([mean, segment_sum(nodes, batch.graph_index, batch.n_graph), batch.globals.double()], dim=1)


def flattened(batch: Batch, *, pt: int, n_node: int = N_HARDEST) -> Tensor:
    """Columns of the `n_node` nodes of largest transverse momentum, column `pt`, in falling order: `(n_graph, n_node n_feature)`.

    What a graph has too few nodes for is zero.
    """
    order = torch.argsort(batch.nodes[:, pt], descending=True, stable=True)
    order = order[torch.argsort(batch.graph_index[order], stable=True)]
    place = torch.arange(batch.total_node) - segment_start(batch.n_node)[batch.graph_index]
    kept = place < n_node
    rows = batch.nodes.new_zeros(batch.n_graph, n_node, batch.nodes.shape[1])
    rows[batch.graph_index[kept], place[kept]] = batch.nodes[order[kept]]
    return rows.flatten(1)
