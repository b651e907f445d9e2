from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve as reference

from root_gnn.metrics.roc import area, cuts, efficiencies, first_reaching, passing
from root_gnn.typing import Floats


def curve_of(scores: Floats, labels: Floats, weights: Floats) -> tuple[Floats, Floats, Floats] | None:
    """Signal and background efficiency and the threshold of every cut, tightest first."""
    cut = cuts(scores)
    found = efficiencies(cut, labels == 1, weights)
    return None if found is None else (*found, np.append(np.inf, scores[cut.order][cut.last]))


def test_curve_equals_scikit_learn_on_positive_weights() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 500)
    scores, weights = np.round(generator.normal(size=500) + labels, 1), generator.exponential(size=500)
    false, true, threshold = reference(labels, scores, sample_weight=weights, drop_intermediate=False)
    curve = curve_of(scores, labels, weights)
    assert curve is not None
    np.testing.assert_allclose(curve[0], true, atol=1e-12)
    np.testing.assert_allclose(curve[1], false, atol=1e-12)
    np.testing.assert_array_equal(curve[2], threshold)


def test_curve_is_the_sum_of_signed_weights_above_each_threshold() -> None:
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 2, 200)
    scores, weights = np.round(generator.normal(size=200), 1), generator.normal(0.5, 1.0, size=200)
    curve = curve_of(scores, labels, weights)
    assert curve is not None
    signal_efficiency, background_efficiency, thresholds = curve
    signal, background = labels == 1, labels == 0
    for point, threshold in enumerate(thresholds):
        passes = scores >= threshold
        assert signal_efficiency[point] == pytest.approx(weights[signal & passes].sum() / weights[signal].sum())
        assert background_efficiency[point] == pytest.approx(
            weights[background & passes].sum() / weights[background].sum()
        )
    assert np.any(np.diff(signal_efficiency) < 0.0), "negative weights are not smoothed away"


def test_ends_are_nothing_and_everything() -> None:
    curve = curve_of(np.array([0.3, 0.3, 0.1]), np.array([1, 0, 0]), np.ones(3))
    assert curve is not None
    assert [values[0] for values in curve] == [0.0, 0.0, np.inf]
    assert [values[-1] for values in curve] == [1.0, 1.0, 0.1]
    assert len(curve[2]) == 3, "equal scores are one cut"


def test_area_and_sums_of_a_curve_that_is_known() -> None:
    scores, is_signal, weights = np.array([0.9, 0.5, 0.1]), np.array([True, False, True]), np.array([1.0, 2.0, 3.0])
    cut = cuts(scores)
    assert passing(cut, is_signal, weights).tolist() == [0.0, 1.0, 1.0, 4.0]
    found = efficiencies(cut, is_signal, weights)
    assert found is not None and area(*found) == pytest.approx(0.25)


def test_first_reaching_takes_the_tightest_of_several_crossings() -> None:
    efficiency = np.array([0.0, 0.4, 0.6, 0.45, 0.7, 1.0])
    assert first_reaching(efficiency, np.array([0.5, 0.4, 1.0])).tolist() == [2, 1, 5]


def test_first_reaching_is_not_fooled_by_rounding() -> None:
    efficiency = np.append(0.0, np.cumsum(np.full(10, 0.1)))
    efficiency = efficiency / efficiency[-1]
    assert first_reaching(efficiency, np.array([0.3, 0.7])).tolist() == [3, 7]


def test_undefined_is_none() -> None:
    assert curve_of(np.array([0.1, 0.2]), np.array([1, 1]), np.ones(2)) is None
    assert curve_of(np.array([0.1, 0.2, 0.3]), np.array([0, 1, 1]), np.array([1.0, 1.0, -1.0])) is None
