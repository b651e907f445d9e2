"""The order of an epoch: every number once, the same from any place on, and mixed across all files in little memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from root_gnn.data.events.shuffle import Order


def whole(order: Order) -> np.ndarray:
    return np.concatenate(list(order.cut(0, order.ends.tolist())))


@given(st.integers(1, 300), st.integers(1, 120), st.integers(1, 40), st.integers(1, 50), st.integers(0, 3), st.data())
def test_every_number_once_and_the_same_from_any_place_on(
    n: int, window: int, block: int, step: int, epoch: int, data: st.DataObject
) -> None:
    order = Order(n, seed=3, epoch=epoch, window=window, block=block)
    everything = whole(order)
    assert sorted(everything) == list(range(n))
    assert order.ends[-1] == n and (np.diff(order.ends, prepend=0) > 0).all()
    assert np.diff(order.ends, prepend=0).max() <= window + 2 * block
    ends = [*range(step, n, step), n]
    begin = data.draw(st.integers(0, len(ends) - 1))
    start = ends[begin - 1] if begin else 0
    pieces = list(Order(n, seed=3, epoch=epoch, window=window, block=block).cut(start, ends[begin:]))
    assert [len(piece) for piece in pieces] == np.diff([start, *ends[begin:]]).tolist()
    assert np.concatenate(pieces).tolist() == everything[start:].tolist()


@pytest.mark.parametrize("window", [500, 10**6])
def test_one_window_is_one_permutation(window: int) -> None:
    assert (whole(Order(500, seed=7, epoch=2, window=window)) == np.random.default_rng((7, 2)).permutation(500)).all()


def test_seed_and_epoch_change_windows_and_what_is_in_them() -> None:
    orders = [whole(Order(5000, seed=seed, epoch=epoch, window=1000)) for seed in (1, 2) for epoch in (0, 1)]
    for place, one in enumerate(orders):
        for other in orders[:place]:
            assert (one == other).mean() < 0.01
            assert len(np.intersect1d(one[:1000], other[:1000])) == pytest.approx(
                200, abs=60
            )  # as two random samples share


def test_no_trace_of_the_original_place() -> None:
    n, window = 60_000, 4096
    order = Order(n, seed=1, epoch=0, window=window)
    numbers = whole(order)
    assert abs(np.corrcoef(np.arange(n), numbers)[0, 1]) < 4 / np.sqrt(n)
    means = [part.mean() for part in np.split(numbers, order.ends[:-1])]
    assert np.std(means) < 0.01 * n  # every window is a sample of the whole
    assert np.corrcoef(numbers[1:], numbers[:-1])[0, 1] == pytest.approx(0, abs=4 / np.sqrt(n))
    assert (np.abs(np.diff(numbers)) == 1).mean() < 10 / window * 16  # neighbours are no longer neighbours


def test_batches_hold_all_classes_of_files_in_order_of_class() -> None:
    n, sizes = 50_000, [30_000, 15_000, 5_000]
    label = np.repeat(np.arange(3), sizes)
    order = Order(n, seed=2, epoch=1, window=5_000)
    for batch in order.cut(0, range(500, n + 1, 500)):
        count = np.bincount(label[batch], minlength=3)
        expected = np.array(sizes) / n * 500
        assert (np.abs(count - expected) < 5.5 * np.sqrt(expected)).all()
    for window in range(order.n_window):
        share = np.bincount(label[order.window(window)], minlength=3) / 5_000
        assert share == pytest.approx([0.6, 0.3, 0.1], abs=0.01)


def test_memory_is_that_of_a_window() -> None:
    tracemalloc.start()
    try:
        order = Order(120_000_000, seed=0, epoch=0)
        first = next(order.cut(60_000_000, [60_001_024]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(np.unique(first)) == 1024
    assert peak < 40e6  # the numbers of the whole epoch would be 960e6
