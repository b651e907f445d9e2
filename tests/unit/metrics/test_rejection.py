from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from root_gnn.errors import InputError
from root_gnn.metrics.rejection import rejection, rejection_of, rejections

SHIFT = 1.2


def toy(generator, n_event=1000, *, negative=0.0):
    labels = np.repeat([0, 1], n_event // 2)
    weights = generator.exponential(size=n_event) * np.where(generator.random(n_event) < negative, -1.0, 1.0)
    return generator.normal(size=n_event) + SHIFT * labels, labels, weights


def test_value_is_that_of_a_cut_one_can_apply():
    scores, labels, weights = toy(np.random.default_rng(0), negative=0.1)
    signal, background = labels == 1, labels == 0
    found = rejection(scores, labels, weights, signal_efficiency=0.3)
    for threshold in sorted(scores, reverse=True):
        if weights[signal & (scores >= threshold)].sum() >= 0.3 * weights[signal].sum():
            break
    assert found.value == pytest.approx(weights[background].sum() / weights[background & (scores >= threshold)].sum())


def test_equal_scores_are_not_parted():
    assert rejection([1.0] * 4 + [0.0] * 4, [1, 1, 0, 0, 0, 0, 0, 0], signal_efficiency=0.3).value == 3.0
    assert rejection(np.zeros(8), np.arange(8) % 2, signal_efficiency=0.3).value == 1.0


@pytest.mark.parametrize("negative", [0.0, 0.15])
def test_error_covers_the_truth(negative):
    generator, pulls = np.random.default_rng(1), []
    truth = [1.0 / norm.sf(norm.isf(at) + SHIFT) for at in (0.3, 0.5)]
    for _ in range(200):
        found = rejections(*toy(generator, 2000, negative=negative), n_replica=60)
        pulls.append([(one.value - expected) / one.error for one, expected in zip(found, truth, strict=True)])
    widths, means = np.std(pulls, axis=0), np.mean(pulls, axis=0)
    assert np.all((widths > 0.8) & (widths < 1.2)), widths
    assert np.all(np.abs(means) < 0.35), means
    assert np.all(np.abs(np.mean(np.abs(pulls) < 1.0, axis=0) - 0.68) < 0.13), "four standard deviations of 200 toys"


def test_the_interval_is_that_of_the_background_efficiency_turned_over():
    found = rejection(*toy(np.random.default_rng(1), 400, negative=0.1), signal_efficiency=0.3)
    efficiency, spread = 1.0 / found.value, found.error / found.value**2
    assert (found.low, found.high) == pytest.approx((1.0 / (efficiency + spread), 1.0 / (efficiency - spread)))
    few = rejection(
        [0.9, 0.8, *[0.85] * 3, *[0.1] * 50], [1, 1, *[0] * 53], [*[1.0] * 4, -1.0, *[1.0] * 50], signal_efficiency=1.0
    )
    assert few.value == 51.0 and 0.0 < few.low < 51.0 and few.high is None, "1 + 1 - 1 events may be none"
    assert rejection(*toy(np.random.default_rng(1), 400), n_replica=0)[1:] == (None, None, None)


def test_threshold_is_part_of_the_error():
    generator = np.random.default_rng(2)
    scores = np.concatenate([generator.normal(size=100_000), generator.normal(1.2, 1.0, 200)])
    labels = np.repeat([0, 1], [100_000, 200])
    found = rejection(scores, labels, signal_efficiency=0.5)
    passing = 100_000 / found.value
    assert found.error > 3.0 * found.value / np.sqrt(passing), (
        "two hundred signal events place the cut far worse than the background count"
    )


def test_without_background_behind_the_cut_there_is_no_number():
    scores, labels = [0.9, 0.8, 0.1, 0.2], [1, 1, 0, 0]
    assert rejection(scores, labels) is None
    assert rejection([0.9, 0.8, 0.85, 0.2], [1, 1, 0, 0], [1.0, 1.0, -1.0, 2.0], signal_efficiency=1.0) is None
    assert rejection([], []) is None
    assert rejection([0.1, 0.2], [1, 1]) is None


def test_large_rejections_are_not_capped():
    n_background = 40_000
    scores = np.concatenate([np.linspace(0.0, 0.4, n_background - 2), [0.95, 0.95], np.linspace(0.5, 0.99, 1000)])
    labels = np.repeat([0, 1], [n_background, 1000])
    assert [found.value for found in rejections(scores, labels)] == pytest.approx([n_background / 2] * 2)


def test_a_seed_gives_one_result_whatever_the_order():
    scores, labels, weights = toy(np.random.default_rng(3))
    order = np.random.default_rng(4).permutation(len(scores))
    first = rejection(scores, labels, weights, seed=7)
    assert first == rejection(scores, labels, weights, seed=7)
    assert first == pytest.approx(rejection(scores[order], labels[order], weights[order], seed=7))
    assert first.error != rejection(scores, labels, weights, seed=8).error


@pytest.mark.parametrize("negative", [0.0, 0.2])
def test_as_a_function_of_the_weights_it_is_the_cut_one_can_apply(negative):
    generator = np.random.default_rng(5)
    scores, labels, _ = toy(generator, 200)
    scores = np.round(scores, 1)  # with ties
    signal, background, of = labels == 1, labels == 0, rejection_of(scores, labels, signal_efficiency=0.5)
    for _ in range(20):
        weights = generator.poisson(1.0, len(scores)) * np.where(generator.random(len(scores)) < negative, -1.0, 1.0)
        for threshold in sorted(scores, reverse=True):
            if weights[signal & (scores >= threshold)].sum() >= 0.5 * weights[signal].sum():
                break
        kept = weights[background & (scores >= threshold)].sum()
        assert of(weights) == (pytest.approx(weights[background].sum() / kept) if kept > 0.0 else None)
    assert of(np.where(scores > 0.0, weights, 0.0) * signal + background * (scores < -1.0)) is None, (
        "no background behind the cut"
    )
    assert of(weights * signal) is None, "no background at all"


def test_efficiencies_outside_the_unit_interval_are_refused():
    with pytest.raises(InputError, match="above 0 and up to 1"):
        rejection_of([0.1, 0.2], [0, 1], signal_efficiency=1.1)
    with pytest.raises(InputError, match="above 0 and up to 1"):
        rejection([0.1, 0.2], [0, 1], signal_efficiency=0.0)
