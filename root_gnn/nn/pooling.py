"""Pooling: the nodes of each graph to one row."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_max, segment_mean, segment_start, segment_sum

Pooling = Literal["sum", "mean", "max"]


def pool(rows: Tensor, batch: Batch, names: tuple[Pooling, ...]) -> Tensor:
    """`rows (total_node, dim)` pooled in each of the ways `names`: `(n_graph, n_name * dim)`; 0 for no nodes."""
    parts = {
        "sum": lambda: segment_sum(rows, batch.graph_index, batch.n_graph),
        "mean": lambda: segment_mean(rows, batch.graph_index, batch.n_node),
        "max": lambda: segment_max(rows, batch.n_node),
    }
    return torch.cat([parts[name]() for name in names], dim=1)


def flattened(batch: Batch, n_node: int) -> Tensor:
    """The first `n_node` nodes of each graph concatenated, zeros where there are fewer: `(n_graph, n_node * dim)`."""
    position = torch.arange(n_node, device=batch.nodes.device)
    row = segment_start(batch.n_node)[:, None] + position
    row = torch.where(position < batch.n_node[:, None], row, batch.total_node)
    longer = torch.cat([batch.nodes, batch.nodes.new_zeros(1, batch.nodes.shape[1])])
    return longer[row].flatten(1)


class AttentionPool(nn.Module):
    """Mean over nodes, weighted by a linear layer and a softmax over each graph."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Linear(dim, 1, bias=False)

    def forward(self, rows: Tensor, batch: Batch) -> Tensor:
        """`rows (total_node, dim)` to `(n_graph, dim)`; 0 where a graph has no nodes."""
        score: Tensor = self.score(rows).to(rows.dtype)
        largest = segment_max(score.detach(), batch.n_node)[batch.graph_index]
        weight = torch.exp(score - largest)
        total = segment_sum(weight, batch.graph_index, batch.n_graph)
        return segment_sum(weight * rows, batch.graph_index, batch.n_graph) / torch.where(total > 0, total, 1.0)
