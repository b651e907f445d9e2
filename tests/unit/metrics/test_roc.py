from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve as reference

from root_gnn.metrics.roc import first_reaching, roc_curve


def test_curve_equals_scikit_learn_on_positive_weights():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 500)
    scores, weights = np.round(generator.normal(size=500) + labels, 1), generator.exponential(size=500)
    false, true, threshold = reference(labels, scores, sample_weight=weights, drop_intermediate=False)
    curve = roc_curve(scores, labels, weights)
    np.testing.assert_allclose(curve.background_efficiency, false, atol=1e-12)
    np.testing.assert_allclose(curve.signal_efficiency, true, atol=1e-12)
    np.testing.assert_array_equal(curve.threshold, threshold)


def test_curve_is_the_sum_of_signed_weights_above_each_threshold():
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 2, 200)
    scores, weights = np.round(generator.normal(size=200), 1), generator.normal(0.5, 1.0, size=200)
    curve = roc_curve(scores, labels, weights)
    signal, background = labels == 1, labels == 0
    for point, threshold in enumerate(curve.threshold):
        passes = scores >= threshold
        assert curve.signal_efficiency[point] == pytest.approx(weights[signal & passes].sum() / weights[signal].sum())
        assert curve.background_efficiency[point] == pytest.approx(
            weights[background & passes].sum() / weights[background].sum()
        )
    assert np.any(np.diff(curve.signal_efficiency) < 0.0), "negative weights are not smoothed away"


def test_ends_are_nothing_and_everything():
    curve = roc_curve([0.3, 0.3, 0.1], [1, 0, 0])
    assert (curve.signal_efficiency[0], curve.background_efficiency[0], curve.threshold[0]) == (0.0, 0.0, np.inf)
    assert (curve.signal_efficiency[-1], curve.background_efficiency[-1], curve.threshold[-1]) == (1.0, 1.0, 0.1)
    assert len(curve.threshold) == 3, "equal scores are one cut"


def test_first_reaching_takes_the_tightest_of_several_crossings():
    efficiency = np.array([0.0, 0.4, 0.6, 0.45, 0.7, 1.0])
    assert first_reaching(efficiency, np.array([0.5, 0.4, 1.0])).tolist() == [2, 1, 5]


def test_first_reaching_is_not_fooled_by_rounding():
    efficiency = np.append(0.0, np.cumsum(np.full(10, 0.1)))
    efficiency = efficiency / efficiency[-1]
    assert first_reaching(efficiency, np.array([0.3, 0.7])).tolist() == [3, 7]


def test_undefined_is_none():
    assert roc_curve([], []) is None
    assert roc_curve([0.1, 0.2], [1, 1]) is None
    assert roc_curve([0.1, 0.2, 0.3], [0, 1, 1], [1.0, 1.0, -1.0]) is None
