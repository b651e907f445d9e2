"""Summary statistics in pieces."""

from __future__ import annotations

import math

import numpy as np
import pytest

from root_gnn.data.reading.summary import N_PART, N_SAMPLE, Summary, medians


def test_a_summary_of_pieces_is_that_of_the_whole() -> None:
    values = np.random.default_rng(1).exponential(30.0, 5000).astype(np.float32)
    summary = Summary()
    for part in np.split(values, [0, 10, 3000]):
        summary.add(part)
    figures = summary.as_mapping()
    assert (figures["n"], figures["min"], figures["max"]) == (5000, values.min(), values.max())
    assert figures["mean"] == pytest.approx(values.mean(dtype=np.float64))
    assert figures["median"] == pytest.approx(np.median(values), rel=0.15)
    assert Summary().as_mapping() == {"n": 0}


def test_figures_that_are_not_finite_are_null() -> None:
    summary = Summary()
    summary.add(np.array([1.0, math.inf]))
    figures = summary.as_mapping()
    assert (figures["min"], figures["max"], figures["mean"]) == (1.0, None, None)


def test_medians_follow_a_change_inside_a_column() -> None:
    values = np.concatenate([np.full(30_000, 50.0), np.full(10_000, 50_000.0)])
    assert sorted(medians(values)) == [50.0] * 6 + [50_000.0] * 2
    assert medians(np.array([3.0, 1.0, 2.0])) == [2.0]
    assert len(medians(np.arange(10 * N_SAMPLE))) == N_PART
