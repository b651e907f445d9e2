from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from root_gnn.errors import InputError
from root_gnn.metrics.auc import auc
from root_gnn.metrics.data_efficiency import data_efficiency, size_needed

SIZES = (100, 1000, 10_000, 100_000)
SLOPE = 0.06  # of the AUC per factor of ten


def models(generator, factor, *, n_seed=1, n_event=600, seed_spread=0.0):
    """Scores of a model and of a reference that needs `factor` times its events; AUC is linear in log(size)."""
    labels, shared = np.repeat([0, 1], n_event // 2), generator.normal(size=n_event)

    def scores(size):
        shift = math.sqrt(2.0) * norm.ppf(0.55 + SLOPE * math.log10(size / 100.0)) * math.sqrt(1.25)
        own = shift + seed_spread * generator.normal(size=n_seed)
        return shared + own[:, None] * labels + 0.5 * generator.normal(size=(n_seed, n_event))

    return [scores(size * factor) for size in SIZES], [scores(size) for size in SIZES], labels


def slowly(sizes, curve, level):
    if curve[0] > level:
        return 0.0
    for k in range(len(sizes)):
        if curve[k] >= level:
            return (
                sizes[0]
                if k == 0
                else float(np.exp(np.interp(level, curve[k - 1 : k + 1], np.log(sizes[k - 1 : k + 1]))))
            )
    return math.inf


def test_size_needed_is_numpys_interpolation_up_to_the_first_crossing():
    generator = np.random.default_rng(0)
    curves, levels = np.round(generator.random((500, 4)), 1), np.round(generator.random(500), 1)
    expected = [slowly(SIZES, curve, level) for curve, level in zip(curves, levels, strict=True)]
    np.testing.assert_allclose(size_needed(SIZES, curves, levels), expected, rtol=1e-12)


def test_factor_is_read_off_the_curves_of_auc():
    scores, reference, labels = models(np.random.default_rng(1), 3.0, n_seed=2, n_event=2000)
    weights = np.random.default_rng(2).normal(1.0, 0.5, len(labels))
    found = data_efficiency(SIZES, scores, reference, labels, weights, n_replica=20)
    curve, level = (
        [np.mean([auc(row, labels, weights).value for row in one]) for one in many] for many in (reference, scores)
    )
    assert [one.size for one in found] == list(SIZES)
    for k in range(3):
        assert found[k].figure == pytest.approx(level[k])
        assert found[k].factor == pytest.approx(slowly(SIZES, curve, level[k]) / SIZES[k])


@pytest.mark.parametrize("n_seed, seed_spread", [(1, 0.0), (3, 0.1)])
def test_interval_covers_the_true_factor(n_seed, seed_spread):
    generator, inside = np.random.default_rng(3), []
    for toy in range(40):
        scores, reference, labels = models(generator, 3.0, n_seed=n_seed, n_event=300, seed_spread=seed_spread)
        found = data_efficiency(SIZES, scores, reference, labels, n_replica=40, seed=toy)[1:3]
        inside += [(one.low is None or one.low <= 3.0) and (one.high is None or one.high >= 3.0) for one in found]
    assert 0.55 < np.mean(inside) < 0.9


def test_a_model_beyond_the_reference_has_a_limit():
    scores, reference, labels = models(np.random.default_rng(4), 1e3, n_event=4000)
    found = data_efficiency(SIZES, scores, reference, labels, n_replica=50)
    assert (found[-1].kind, found[-1].factor, found[-1].low, found[-1].high) == ("at least", 1.0, 1.0, None)
    assert (found[1].kind, found[1].factor) == ("at least", 100.0)
    assert found[0].low > 100.0


def test_a_model_below_the_reference_has_one_on_the_other_side():
    reference, scores, labels = models(np.random.default_rng(5), 1e3, n_event=4000)
    first = data_efficiency(SIZES, scores, reference, labels, n_replica=50)[0]
    assert (first.kind, first.factor, first.low, first.high) == ("at most", 1.0, None, 1.0)


def test_a_model_against_itself_needs_as_many():
    scores, _, labels = models(np.random.default_rng(6), 1.0, n_seed=3, n_event=4000)
    for one in data_efficiency(SIZES, scores, scores, labels, n_replica=50):
        assert (one.factor, one.kind) == (pytest.approx(1.0), "measured")
        assert one.low <= 1.0 + 1e-12


def test_undefined_is_none_and_wrong_sizes_are_refused():
    scores, reference, labels = models(np.random.default_rng(7), 3.0)
    assert data_efficiency(SIZES, scores, reference, np.ones_like(labels), n_replica=5) is None
    with pytest.raises(InputError, match="ascending order"):
        data_efficiency((1000, 100), scores[:2], reference[:2], labels)
    with pytest.raises(InputError, match="each of 4 sizes and got those at 4 and 3"):
        data_efficiency(SIZES, scores, reference[:3], labels)
    with pytest.raises(InputError, match="same seeds"):
        data_efficiency(SIZES, [*scores[:3], np.zeros((2, len(labels)))], reference, labels)
