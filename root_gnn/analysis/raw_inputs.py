"""What a model without an encoder reads: the columns of an event's nodes as they are, pooled or one after the other."""

from __future__ import annotations

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_order
from root_gnn.nn.pooling import flattened, pool

N_HARDEST = 30


def pooled(batch: Batch) -> Tensor:
    """Mean and sum of every node column and the globals of each graph: `(n_graph, 2 n_feature + n_global)`."""
    return torch.cat([pool(batch.nodes.double(), batch, ("mean", "sum")), batch.globals.double()], dim=1)


def hardest_nodes(batch: Batch, *, pt: int, n_node: int = N_HARDEST) -> Tensor:
    """Columns of the `n_node` nodes of largest transverse momentum, column `pt`, in falling order: `(n_graph, n_node n_feature)`.

    What a graph has too few nodes for is zero.
    """
    order = segment_order(-batch.nodes[:, pt], batch.graph_index)
    return flattened(batch.replace(nodes=batch.nodes[order]), n_node)
