"""Segment sums, means and maxima against loops, empty segments included, gradients too."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from root_gnn.graph.segment import segment_max, segment_mean, segment_start, segment_sum

COUNTS = st.lists(st.integers(0, 5), min_size=1, max_size=7)


def rows_of(counts: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    count = torch.tensor(counts)
    rows = torch.randn(sum(counts), 3, dtype=torch.float64, generator=torch.Generator().manual_seed(len(counts))) - 2.0
    return rows, torch.repeat_interleave(count), count


def loop(rows: Tensor, counts: list[int], name: str) -> Tensor:
    out, first = [], 0
    for size in counts:
        part = rows[first : first + size]
        first += size
        empty = torch.zeros(3, dtype=rows.dtype)
        out.append(empty if size == 0 else {"sum": part.sum(0), "mean": part.mean(0), "max": part.amax(0)}[name])
    return torch.stack(out)


def fast(rows: Tensor, index: Tensor, count: Tensor, name: str) -> Tensor:
    if name == "sum":
        return segment_sum(rows, index, count.shape[0])
    return segment_mean(rows, index, count) if name == "mean" else segment_max(rows, count)


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
@settings(max_examples=25, deadline=None)
@given(counts=COUNTS)
def test_segments_are_the_loop(name: str, counts: list[int]) -> None:
    rows, index, count = rows_of(counts)
    torch.testing.assert_close(fast(rows, index, count, name), loop(rows, counts, name), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
@pytest.mark.parametrize("counts", [[2, 0, 3, 1, 0], [0, 0, 4], [1, 1]])
def test_gradients_are_the_loop(name: str, counts: list[int]) -> None:
    rows, index, count = rows_of(counts)
    weight = torch.arange(3.0 * len(counts), dtype=torch.float64).view(-1, 3).cos()
    first, second = rows.clone().requires_grad_(), rows.clone().requires_grad_()
    (fast(first, index, count, name) * weight).sum().backward()
    (loop(second, counts, name) * weight).sum().backward()
    torch.testing.assert_close(first.grad, second.grad, rtol=1e-12, atol=1e-12)


def test_maximum_without_rows_is_zero_and_has_a_gradient() -> None:
    rows = torch.zeros(0, 3, requires_grad=True)
    out = segment_max(rows, torch.tensor([0, 0]))
    assert out.tolist() == [[0.0] * 3] * 2
    out.sum().backward()
    assert rows.grad is not None and rows.grad.shape == (0, 3)


def test_sums_take_rows_in_any_order() -> None:
    out = segment_sum(torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([2, 0, 2]), 4)
    assert out.flatten().tolist() == [2.0, 0.0, 5.0, 0.0]


@given(COUNTS)
@settings(max_examples=25, deadline=None)
def test_start_is_where_the_first_row_lies(counts: list[int]) -> None:
    assert segment_start(torch.tensor(counts)).tolist() == [sum(counts[:k]) for k in range(len(counts))]


def test_half_precision_stays_itself() -> None:
    rows, index, count = rows_of([2, 0, 3])
    for name in ("sum", "mean", "max"):
        out = fast(rows.bfloat16(), index, count, name)
        assert out.dtype == torch.bfloat16
        torch.testing.assert_close(out.double(), loop(rows, [2, 0, 3], name), rtol=0.05, atol=0.05)
