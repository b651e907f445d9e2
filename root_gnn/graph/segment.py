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


def segment_max(rows: Tensor, count: Tensor) -> Tensor:
    """Maximum over consecutive runs of `rows (n_row, dim)`, `count (n_segment,)` rows each: `(n_segment, dim)`, zero where empty."""
    if rows.shape[0] == 0:
        return rows.new_zeros(count.shape[0], rows.shape[1]) + rows.sum()  # keeps the graph of gradients
    lowest = torch.finfo(rows.dtype).min
    largest: Tensor = torch.segment_reduce(rows, "max", lengths=count, axis=0, unsafe=True, initial=lowest)
    return torch.where(count.unsqueeze(1) > 0, largest, 0.0)


def segment_start(count: Tensor) -> Tensor:
    """Position of each segment's first row, `(n_segment,)`, from `count (n_segment,)`."""
    return torch.cumsum(count, 0) - count


def segment_place(index: Tensor, count: Tensor) -> Tensor:
    """The place of each row in its segment, from 0: `(n_row,)`, from `index (n_row,)` ascending and `count (n_segment,)`."""
    return torch.arange(index.shape[0], device=index.device) - segment_start(count)[index]


def segment_order(score: Tensor, index: Tensor) -> Tensor:
    """The order in which the rows of each segment of `index (n_row,)` have ascending `score (n_row,)`, segment by segment: `(n_row,)`."""
    order = torch.argsort(score, stable=True)
    return order[torch.argsort(index[order], stable=True)]
