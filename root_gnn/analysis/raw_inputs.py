"""Inputs of a model without an encoder: the raw columns of an event's nodes, pooled or concatenated."""

from __future__ import annotations

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_order
from root_gnn.nn.pooling import flattened, pool

N_HARDEST = 30


def pooled(batch: Batch) -> Tensor:
    """Returns mean and sum of every node column, and the globals, per graph: `(n_graph, 2 n_feature + n_global)`."""
    return torch.cat([pool(batch.nodes.double(), batch, ("mean", "sum")), batch.globals.double()], dim=1)


def hardest_nodes(batch: Batch, *, pt: int, n_node: int = N_HARDEST) -> Tensor:
    """Returns the columns of the `n_node` nodes of largest transverse momentum: `(n_graph, n_node n_feature)`.

    Nodes are in order of falling transverse momentum, column `pt`; rows of missing nodes are zero.
    """
    order = segment_order(-batch.nodes[:, pt], batch.graph_index)
    return flattened(batch.replace(nodes=batch.nodes[order]), n_node)
