from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from root_gnn.errors import InputError
from root_gnn.metrics.calibration import calibration_error, confidence_calibration


def sample(generator, n_event=2000, *, bias=0.0, negative=0.0):
    """Probabilities that are too large by `bias` at 1/2, labels, weights."""
    true = generator.beta(0.8, 0.8, n_event)
    weights = generator.exponential(size=n_event) * np.where(generator.random(n_event) < negative, -1.0, 1.0)
    return true + 4.0 * bias * true * (1.0 - true), (generator.random(n_event) < true).astype(int), weights


def slow_ece(probabilities, labels, weights, n_bin):
    total = 0.0
    for k in range(n_bin):
        excess = 0.0
        for probability, label, weight in zip(probabilities, labels, weights, strict=True):
            if k / n_bin <= probability < (k + 1) / n_bin or (k == n_bin - 1 and probability == 1.0):
                excess += weight * (label - probability)
        total += abs(excess)
    return total / sum(weights)


def test_curve_is_scikit_learns():
    probabilities, labels, _ = sample(np.random.default_rng(0))
    observed, predicted = calibration_curve(labels, probabilities, n_bins=10)
    found = calibration_error(probabilities, labels, n_bin=10, n_replica=2)
    np.testing.assert_allclose(found.observed, observed, atol=1e-12)
    np.testing.assert_allclose(found.predicted, predicted, atol=1e-12)
    np.testing.assert_allclose(found.error, np.sqrt(observed * (1.0 - observed) / found.n_event), rtol=0.05)
    assert found.n_event.sum() == len(labels)


@pytest.mark.parametrize("negative", [0.0, 0.2])
def test_ece_is_the_loop_over_bins_and_events(negative):
    probabilities, labels, weights = sample(np.random.default_rng(1), 300, bias=0.1, negative=negative)
    probabilities[:2] = 0.0, 1.0
    found = calibration_error(probabilities, labels, weights, n_bin=7, n_replica=2)
    assert found.ece == pytest.approx(slow_ece(probabilities, labels, weights, 7), abs=1e-12)


def test_a_weight_of_two_is_the_event_twice():
    probabilities, labels, _ = sample(np.random.default_rng(2), 500)
    weights = np.random.default_rng(3).integers(0, 3, 500)
    once, twice = (
        calibration_error(probabilities, labels, weights),
        calibration_error(probabilities.repeat(weights), labels.repeat(weights)),
    )
    assert once.ece == pytest.approx(twice.ece, abs=1e-12)
    np.testing.assert_allclose(once.observed, twice.observed, atol=1e-12)


def test_null_tells_good_probabilities_from_bad():
    generator, below, means = np.random.default_rng(4), 0, []
    for toy in range(100):
        found = calibration_error(*sample(generator, 500)[:2], n_replica=50, seed=toy)
        below += found.ece < found.null
        means.append(found.ece - found.null_mean)
    assert 85 <= below <= 100
    assert abs(np.mean(means)) < 4.0 * np.std(means) / 10.0
    wrong = calibration_error(*sample(generator, bias=0.15))
    assert wrong.ece - wrong.null_mean > 3.0 * (wrong.null - wrong.null_mean)


def test_error_is_the_spread_of_samples_where_all_bins_are_off():
    generator = np.random.default_rng(5)
    found = [
        calibration_error(*sample(generator, bias=0.2, negative=0.1), n_bin=5, n_replica=40, seed=toy)
        for toy in range(100)
    ]
    assert np.std([one.ece for one in found]) == pytest.approx(np.mean([one.ece_error for one in found]), rel=0.25)


def test_confidence_is_the_largest_probability():
    generator = np.random.default_rng(6)
    probabilities = generator.dirichlet(np.ones(4), 1000)
    labels = np.array([generator.choice(4, p=row) for row in probabilities])
    found = confidence_calibration(probabilities, labels, n_bin=20)
    assert np.all(found.n_event[:5] == 0), "the largest of four is at least 1/4"
    assert np.isnan(found.observed[:5]).all()
    assert found.ece < found.null


def test_undefined_is_none_and_logits_are_refused():
    assert calibration_error([0.2, 0.8], [0, 1], [1.0, -1.0]) is None
    assert calibration_error([], []) is None
    with pytest.raises(InputError, match=r"that of event 1 is 1\.5"):
        calibration_error([0.2, 1.5], [0, 1])
    with pytest.raises(InputError, match="at least one bin"):
        calibration_error([0.2], [0], n_bin=0)
