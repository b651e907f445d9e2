"""The weighted mean and share that several metrics are made of."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.metrics.measured import n_effective, small_sample, weighted_mean, weighted_share


def test_effective_events_of_equal_weights_are_their_number() -> None:
    assert n_effective(np.full(7, 0.3)) == pytest.approx(7.0) and n_effective(np.empty(0)) == 0.0
    assert small_sample(np.ones(5)) == pytest.approx(1.25) and small_sample(np.ones(1)) is None


def test_the_error_of_an_unweighted_mean_is_that_of_the_textbook() -> None:
    values = np.array([1.0, 2.0, 4.0, 7.0])
    mean = weighted_mean(values, np.ones(4))
    assert mean is not None and mean.value == 3.5
    assert mean.error == pytest.approx(np.std(values, ddof=1) / 2.0)
    assert weighted_mean(values, np.array([1.0, -1.0, 0.0, 0.0])) is None


def test_the_error_of_a_share_is_wilsons() -> None:
    share = weighted_share(np.array([True, True, True, False]), np.ones(4))
    n, p = 4, 0.75
    assert share is not None and share.value == p
    assert share.error == pytest.approx(np.sqrt(p * (1 - p) / n + 1 / (4 * n**2)) / (1 + 1 / n))
