from __future__ import annotations

import math

import numpy as np
import pytest

from root_gnn.metrics.significance import significance


def asimov(s, b):
    return math.sqrt(2.0 * ((s + b) * math.log(1.0 + s / b) - s))


def toy(generator, n_event=2000, *, negative=0.0):
    labels = np.repeat([0, 1], n_event // 2)
    sign = np.where(generator.random(n_event) < negative, -1.0, 1.0)
    yields = sign * generator.exponential(size=n_event) * np.where(labels == 1, 0.05, 0.5)
    return generator.normal(size=n_event) + 1.5 * labels, labels, yields


def test_is_the_best_of_all_cuts():
    scores, labels, yields = toy(np.random.default_rng(0), 600, negative=0.1)
    best, at = -1.0, None
    for threshold in scores:
        passes = scores >= threshold
        signal, background = yields[passes & (labels == 1)], yields[passes & (labels == 0)]
        s, b = signal.sum(), background.sum()
        enough = s > 0 and b > 0 and s**2 >= 10 * (signal**2).sum() and b**2 >= 10 * (background**2).sum()
        if enough and asimov(s, b) > best:
            best, at = asimov(s, b), threshold
    found = significance(scores, labels, yields)
    assert found.max == pytest.approx(best, rel=1e-9)
    assert found.at == at


def test_error_is_the_spread_of_independent_samples():
    generator = np.random.default_rng(1)
    found = [significance(*toy(generator, negative=0.1)) for _ in range(200)]
    spread = np.std([one.max for one in found])
    assert 0.8 < spread / np.mean([one.error for one in found]) < 1.2


def test_a_cut_behind_which_no_background_is_left_does_not_win():
    scores = np.concatenate([np.linspace(0, 1, 100), np.full(50, 2.0)])
    labels = np.repeat([0, 1], [100, 50])
    found = significance(scores, labels, np.ones(150))
    assert found.at <= scores[90], "at least ten background events pass"
    assert math.isfinite(found.max)


def test_negative_background_is_left_out():
    scores, labels = np.array([0.9] * 20 + [0.5] * 20 + [0.4] * 20), np.repeat([1, 0, 0], 20)
    yields = np.repeat([1.0, -0.5, 1.0], 20)
    found = significance(scores, labels, yields, min_effective=1.0)
    assert found.at == 0.4
    assert found.max == pytest.approx(asimov(20.0, 10.0))


def test_small_signal_over_large_background_does_not_cancel():
    scores, labels = np.ones(200), np.repeat([0, 1], 100)
    yields = np.where(labels == 1, 1e-9, 1.0)
    assert significance(scores, labels, yields).max == pytest.approx(1e-7 / math.sqrt(100.0), rel=1e-6)


def test_grows_with_the_root_of_luminosity():
    scores, labels, yields = toy(np.random.default_rng(2))
    assert significance(scores, labels, 4.0 * yields).max == pytest.approx(
        2.0 * significance(scores, labels, yields).max
    )


def test_undefined_is_none():
    assert significance([], [], []) is None
    assert significance([0.1, 0.2], [0, 1], [1.0, 1.0]) is None
    assert significance(np.ones(40), np.ones(40, int), np.ones(40)) is None
