from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from root_gnn.errors import InputError
from root_gnn.metrics.correlation import correlation


def related(generator, n_event=400):
    a = generator.normal(size=(n_event, 3)) + 5.0
    return a, a @ generator.normal(size=(3, 2)) + generator.exponential(size=(n_event, 2))


def test_values_are_scipys():
    a, b = related(np.random.default_rng(0))
    found = correlation(a, b)
    for row in range(3):
        for column in range(2):
            assert found.value[row, column] == pytest.approx(pearsonr(a[:, row], b[:, column])[0], abs=1e-12)


def test_weighted_values_are_numpys_and_a_weight_is_a_repetition():
    a, b = related(np.random.default_rng(1))
    weights = np.random.default_rng(2).integers(0, 4, len(a))
    both = np.cov(np.hstack([a, b]).T, aweights=weights)
    expected = both / np.sqrt(np.outer(np.diag(both), np.diag(both)))
    np.testing.assert_allclose(correlation(a, b, weights).value, expected[:3, 3:], atol=1e-12)
    np.testing.assert_allclose(
        correlation(a, b, weights).value, correlation(a.repeat(weights, 0), b.repeat(weights, 0)).value, atol=1e-12
    )


def test_an_event_less_with_its_negative_weight_is_an_event_removed():
    a, b = related(np.random.default_rng(3))
    again = np.append(np.arange(400), 7), np.append(np.ones(400), -1.0)
    np.testing.assert_allclose(
        correlation(a[again[0]], b[again[0]], again[1]).value,
        correlation(np.delete(a, 7, 0), np.delete(b, 7, 0)).value,
        atol=1e-12,
    )


@pytest.mark.parametrize("negative", [0.0, 0.15])
def test_errors_are_the_spread_of_samples(negative):
    generator, values, errors = np.random.default_rng(4), [], []
    mixing = generator.normal(size=(3, 2))
    for _ in range(300):
        a = generator.exponential(size=(500, 3))
        b = a @ mixing + generator.normal(size=(500, 2))
        weights = generator.exponential(size=500) * np.where(generator.random(500) < negative, -1.0, 1.0)
        found = correlation(a, b, weights)
        values.append(found.value)
        errors.append(found.error)
    np.testing.assert_allclose(np.std(values, axis=0), np.mean(errors, axis=0), rtol=0.2)


def test_perfect_relations_have_no_error_and_constants_no_value():
    a = np.random.default_rng(5).normal(size=(50, 1))
    found = correlation(a[:, 0], np.hstack([3.0 * a, -a, np.full_like(a, 0.1)]))
    np.testing.assert_allclose(found.value, [[1.0, -1.0, np.nan]], atol=1e-12)
    np.testing.assert_allclose(found.error, [[0.0, 0.0, np.nan]], atol=1e-7)


def test_what_has_no_weight_has_no_correlation():
    assert correlation([1.0, 2.0], [2.0, 1.0], [1.0, -1.0]) is None
    assert correlation(np.zeros((0, 2)), np.zeros((0, 1))) is None


def test_wrong_arrays_are_named():
    with pytest.raises(InputError, match="got 2 and 3 rows"):
        correlation([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="entry of a of event 1 is nan"):
        correlation([1.0, np.nan], [1.0, 2.0])
    with pytest.raises(InputError, match=r"shape \(n_event, n_column\)"):
        correlation(np.zeros((2, 2, 2)), [1.0, 2.0])
