"""Sums, means and maxima of rows that belong to the same segment (a graph, a receiving node)."""

from __future__ import annotations

import torch
from torch import Tensor


def segment_sum(rows: Tensor, index: Tensor, n_segment: int) -> Tensor:
    """Sum of `rows (n_row, dim)` by `index (n_row,)`: `(n_segment, dim)`, zero where a segment is empty."""
    return rows.new_zeros(n_segment, rows.shape[1]).index_add(0, index, rows)


def segment_mean(rows: Tensor, index: Tensor, count: Tensor) -> Tensor:
    """Mean of `rows (n_row, dim)` by `index`, with `count (n_segment,)` rows in each segment; zero where empty."""
    total = segment_sum(rows, index, count.shape[0])
    return total / count.clamp(min=1).to(rows.dtype).unsqueeze(1)


def segment_max(rows: Tensor, index: Tensor, n_segment: int) -> Tensor:
    """Maximum of `rows (n_row, dim)` by `index (n_row,)`: `(n_segment, dim)`, zero where a segment is empty.

    Rows that tie share the gradient equally, as in `scatter_reduce`.
    """
    spread = index.unsqueeze(1).expand_as(rows)
    return rows.new_zeros(n_segment, rows.shape[1]).scatter_reduce(0, spread, rows, "amax", include_self=False)


def segment_start(count: Tensor) -> Tensor:
    """Position of each segment's first row, `(n_segment,)`, from `count (n_segment,)`."""
    return torch.cumsum(count, 0) - count
