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
    """Maximum over runs of `count (n_segment,)` rows of `rows (n_row, dim)`: `(n_segment, dim)`, 0 where empty."""
    if rows.shape[0] == 0:
        return rows.new_zeros(count.shape[0], rows.shape[1]) + rows.sum()  # keeps the graph of gradients
    lowest = torch.finfo(rows.dtype).min
    largest: Tensor = torch.segment_reduce(rows, "max", lengths=count, axis=0, unsafe=True, initial=lowest)
    return torch.where(count.unsqueeze(1) > 0, largest, 0.0)


def segment_start(count: Tensor) -> Tensor:
    """Position of each segment's first row, `(n_segment,)`, from `count (n_segment,)`."""
    return torch.cumsum(count, 0) - count


def segment_place(index: Tensor, count: Tensor) -> Tensor:
    """The position of each row in its segment, counted from 0, `(n_row,)`.

    `index (n_row,)` is the segment of each row, ascending, and `count (n_segment,)` the number of rows of each segment.
    """
    return torch.arange(index.shape[0], device=index.device) - segment_start(count)[index]


def segment_order(score: Tensor, index: Tensor) -> Tensor:
    """The order, `(n_row,)`, that sorts rows by segment `index (n_row,)` and then by ascending `score (n_row,)`."""
    order = torch.argsort(score, stable=True)
    return order[torch.argsort(index[order], stable=True)]
