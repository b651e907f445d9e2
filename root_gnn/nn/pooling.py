"""The nodes of each graph to one row."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_max, segment_mean, segment_sum

Pooling = Literal["sum", "mean", "max"]


def pool(rows: Tensor, batch: Batch, names: tuple[Pooling, ...]) -> Tensor:
    """`rows (total_node, dim)` reduced by each of `names`, side by side: `(n_graph, len(names) * dim)`; 0 where there are none."""
    parts = {
        "sum": lambda: segment_sum(rows, batch.graph_index, batch.n_graph),
        "mean": lambda: segment_mean(rows, batch.graph_index, batch.n_node),
        "max": lambda: segment_max(rows, batch.n_node),
    }
    return torch.cat([parts[name]() for name in names], dim=1)
