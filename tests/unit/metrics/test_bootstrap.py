from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from scipy.stats import norm

from root_gnn.errors import InputError
from root_gnn.metrics.auc import auc
from root_gnn.metrics.bootstrap import paired_difference, seed_mean
from root_gnn.metrics.rejection import rejection_of


def models(generator, n_seed, *, n_event=400, gain=0.1, seed_spread=0.0, own_noise=0.5):
    """Two models on the same events: `a` shifts the signal by `gain` more than `b`, each seed by a bit of its own."""
    labels = np.repeat([0, 1], n_event // 2)
    shared = generator.normal(size=n_event)

    def scores(shift):
        own = shift + seed_spread * generator.normal(size=n_seed)
        return shared + own[:, None] * labels + own_noise * generator.normal(size=(n_seed, n_event))

    return scores(1.1 + gain), scores(1.1), labels


def test_values_are_the_auc_of_each_seed():
    a, b, labels = models(np.random.default_rng(0), 3)
    weights = np.random.default_rng(1).normal(1.0, 0.8, len(labels))
    found = paired_difference(a, b, labels, weights, n_replica=50)
    expected = [auc(x, labels, weights).value - auc(y, labels, weights).value for x, y in zip(a, b, strict=True)]
    assert found.per_seed == pytest.approx(expected)
    assert found.mean == pytest.approx(np.mean(expected))
    assert found.n_seed == 3
    assert found.low < found.mean < found.high


def test_a_given_metric_is_used_in_every_replica():
    a, b, labels = models(np.random.default_rng(0), 2)
    own = paired_difference(a, b, labels, n_replica=50, seed=3)
    given = paired_difference(a, b, labels, n_replica=50, seed=3, metric=lambda s, y: lambda w: auc(s, y, w).value)
    assert given.per_seed == pytest.approx(own.per_seed)
    assert given[:3] == pytest.approx(own[:3])


def test_difference_of_rejections_of_one_seed_is_that_of_cuts_in_every_replica():
    (a,), (b,), labels = models(np.random.default_rng(0), 1, n_event=200)
    weights = np.random.default_rng(1).normal(1.0, 0.4, len(labels))

    def by_hand(scores, drawn):
        signal, background = labels == 1, labels == 0
        kept = [
            threshold
            for threshold in scores
            if drawn[signal & (scores >= threshold)].sum() >= 0.5 * drawn[signal].sum()
        ]
        return drawn[background].sum() / drawn[background & (scores >= max(kept))].sum()

    generator, replicas = np.random.default_rng(3), []
    for _ in range(40):
        drawn = weights * generator.poisson(1.0, len(labels))
        replicas.append(by_hand(a, drawn) - by_hand(b, drawn))
    found = paired_difference(
        a[None], b[None], labels, weights, metric=partial(rejection_of, signal_efficiency=0.5), n_replica=40, seed=3
    )
    assert found.mean == pytest.approx(by_hand(a, weights) - by_hand(b, weights))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(replicas, [norm.cdf(-1.0), norm.cdf(1.0)])))


@pytest.mark.parametrize("n_seed, seed_spread", [(1, 0.0), (3, 0.0), (3, 0.1), (5, 0.3)])
def test_interval_covers_the_true_difference(n_seed, seed_spread):
    generator, inside, n_toy = np.random.default_rng(2), 0, 100
    draws = seed_spread * generator.normal(size=200_000)
    truth = np.diff([np.mean(norm.cdf((shift + draws) / math.sqrt(2.5))) for shift in (1.1, 1.2)])[0]
    for toy in range(n_toy):
        a, b, labels = models(generator, n_seed, seed_spread=seed_spread)
        found = paired_difference(a, b, labels, n_replica=80, seed=toy)
        inside += found.low < truth < found.high
    assert 0.57 < inside / n_toy < 0.85


def test_pairing_removes_what_the_models_share():
    a, b, labels = models(np.random.default_rng(3), 3, own_noise=0.05)
    found = paired_difference(a, b, labels)
    alone = seed_mean(a, labels)
    assert found.high - found.low < 0.3 * (alone.high - alone.low)
    assert found.excludes_zero


def test_equal_models_do_not_differ():
    a, _, labels = models(np.random.default_rng(4), 3)
    found = paired_difference(a, a, labels, n_replica=50)
    assert found[:3] == (0.0, 0.0, 0.0)
    assert not found.excludes_zero


def test_swapping_the_models_mirrors_the_interval():
    a, b, labels = models(np.random.default_rng(5), 3)
    one, other = paired_difference(a, b, labels, n_replica=101), paired_difference(b, a, labels, n_replica=101)
    assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low), abs=2e-3)


def test_seeds_that_scatter_widen_the_interval():
    calm = paired_difference(*models(np.random.default_rng(6), 5), n_replica=300)
    wild = paired_difference(*models(np.random.default_rng(6), 5, seed_spread=1.0), n_replica=300)
    assert wild.high - wild.low > 3.0 * (calm.high - calm.low)


def test_one_seed_of_randomness_one_result():
    a, b, labels = models(np.random.default_rng(7), 3)
    assert paired_difference(a, b, labels, n_replica=20, seed=1) == paired_difference(
        a, b, labels, n_replica=20, seed=1
    )
    assert paired_difference(a, b, labels, n_replica=20, seed=1) != paired_difference(
        a, b, labels, n_replica=20, seed=2
    )


def test_seed_mean_of_one_seed_agrees_with_the_analytic_error():
    a, _, labels = models(np.random.default_rng(8), 1, n_event=2000)
    found, expected = seed_mean(a, labels), auc(a[0], labels)
    assert found.mean == pytest.approx(expected.value)
    assert (found.high - found.low) / 2.0 == pytest.approx(expected.error, rel=0.1)


def test_undefined_is_none():
    a, b, labels = models(np.random.default_rng(9), 2)
    assert paired_difference(a, b, np.ones_like(labels), n_replica=5) is None
    assert seed_mean(np.zeros((2, 0)), []) is None
    one_signal = np.zeros(50, int)
    one_signal[0] = 1
    assert seed_mean(np.random.default_rng(0).normal(size=(1, 50)), one_signal) is None, (
        "a third of the replicas lack the signal"
    )


def test_shapes_must_agree():
    with pytest.raises(InputError, match="same test events with the same seeds"):
        paired_difference(np.zeros((2, 4)), np.zeros((3, 4)), [0, 1, 0, 1])
    with pytest.raises(InputError, match=r"\(n_seed, n_event\)"):
        seed_mean(np.zeros(4), [0, 1, 0, 1])
    with pytest.raises(InputError, match="one per test event"):
        seed_mean(np.zeros((1, 4)), [0, 1, 0, 1], [1.0])
