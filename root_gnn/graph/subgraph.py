"""Some of the nodes of each graph as a batch of its own: contexts, targets and views of self-supervised learning."""

from __future__ import annotations

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_order, segment_place


def subgraph(batch: Batch, keep: Tensor) -> Batch:
    """The nodes where `keep (total_node,)`, bool, is true, in their order, as complete graphs, some of them empty.

    Ids, labels, weights and the globals' further columns stay; the first column of the globals, the number of nodes,
    follows. Raises ValueError for graphs with stored edges.
    """
    if not batch.is_complete:
        raise ValueError("a subgraph is taken of complete graphs; choose the nodes before making edges")
    n_node = torch.zeros_like(batch.n_node).index_add(0, batch.graph_index, keep.to(batch.n_node.dtype))
    globals_ = torch.cat([n_node.to(batch.globals.dtype).unsqueeze(1), batch.globals[:, 1:]], dim=1)
    return Batch.of(
        batch.nodes[keep], n_node, globals=globals_, labels=batch.labels, weights=batch.weights, ids=batch.ids
    )


def smallest(score: Tensor, batch: Batch, n_kept: Tensor) -> Tensor:
    """Which nodes have the `n_kept (n_graph,)` smallest of their graph's `score (total_node,)`: bool `(total_node,)`.

    Ties go to the node that comes first. A graph with fewer nodes keeps all of them.
    """
    order = segment_order(score, batch.graph_index)
    place = segment_place(batch.graph_index, batch.n_node)
    keep = torch.zeros_like(score, dtype=torch.bool)
    return keep.index_put((order,), place < n_kept[batch.graph_index])
