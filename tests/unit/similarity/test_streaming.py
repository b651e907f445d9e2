from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.errors import InputError
from root_gnn.similarity.cka import LinearCKA, cka


def sample(seed=0, n=400):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 6)) + np.linspace(-5.0, 20.0, 6)
    return x, x[:, :4] ** 2 + generator.normal(size=(n, 4))


def streamed(x, y, edges, estimator="debiased_linear"):
    stream = LinearCKA(estimator)
    for start, stop in itertools.pairwise([0, *sorted(edges), len(x)]):
        stream.update(x[start:stop], y[start:stop])
    assert stream.n_event == len(x)
    return stream.value()


@settings(max_examples=25, deadline=None)
@given(
    edges=st.lists(st.integers(0, 400), max_size=12), estimator=st.sampled_from(["debiased_linear", "biased_linear"])
)
def test_any_cutting_into_chunks_equals_one_shot(edges, estimator):
    x, y = sample()
    assert streamed(x, y, edges, estimator) == pytest.approx(cka(x, y, estimator=estimator), rel=1e-10)


def test_single_events_and_sorted_events_equal_one_shot():
    x, y = sample()
    order = np.argsort(x[:, 0])
    assert streamed(x, y, range(1, 400)) == pytest.approx(cka(x, y), rel=1e-10)
    assert streamed(x[order], y[order], range(50, 400, 50)) == pytest.approx(cka(x, y), rel=1e-10)


def test_order_of_chunks_is_irrelevant():
    x, y = sample()
    chunks = np.array_split(np.arange(400), 7)
    values = []
    for order in (range(7), reversed(range(7))):
        stream = LinearCKA()
        for chunk in order:
            stream.update(x[chunks[chunk]], y[chunks[chunk]])
        values.append(stream.value())
    assert values[0] == pytest.approx(values[1], rel=1e-12)


def test_drifting_features_far_from_zero_lose_no_digits():
    x, y = sample()
    drift = np.linspace(0.0, 300.0, 400)[:, None]
    x, y = x + 1e4 + drift, y - 1e4 + drift**2 / 100.0
    assert streamed(x, y, range(20, 400, 20)) == pytest.approx(cka(x, y), rel=1e-9)


def test_float32_tensors_are_summed_in_float64():
    x, y = sample()
    stream = LinearCKA()
    for part, other in zip(torch.tensor(x).float().split(64), torch.tensor(y).float().split(64), strict=True):
        stream.update(part, other)
    assert stream.value() == pytest.approx(cka(x.astype(np.float32), y.astype(np.float32)), rel=1e-10)


def peak_and_value(n_event, *, dim=64, chunk=8192):
    """Bytes at most while events are drawn and streamed, and CKA of x and y = x + noise of the same size."""
    generator, stream = np.random.default_rng(1), LinearCKA()
    tracemalloc.start()
    for start in range(0, n_event, chunk):
        x, noise = generator.normal(size=(2, min(chunk, n_event - start), dim))
        stream.update(x, x + noise)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, stream.value()


@pytest.mark.parametrize("n_event", [65_536, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_memory_is_that_of_a_chunk_however_many_events(n_event):
    few, _ = peak_and_value(16_384)
    peak, value = peak_and_value(n_event)
    assert peak < 1.05 * few < 64 * 2**20
    assert value == pytest.approx(0.5, abs=2.0 / math.sqrt(n_event)), (
        "|1|^2 / (|1| |2 1|), from the covariances 1, 2 and 1 between them"
    )


def test_errors_say_what_is_wrong():
    x, y = sample()
    stream = LinearCKA()
    with pytest.raises(InputError, match="at least four events and got 0"):
        stream.value()
    stream.update(x, y)
    with pytest.raises(InputError, match="keep their widths"):
        stream.update(x[:, :2], y)
    with pytest.raises(InputError, match="same events"):
        stream.update(x[:5], y[:4])
    with pytest.raises(InputError, match="can be streamed"):
        LinearCKA("biased_gram")
    constant = LinearCKA()
    constant.update(np.full((10, 2), 0.1), y[:10])
    with pytest.raises(InputError, match="representation x is the same"):
        constant.value()
