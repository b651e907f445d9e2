"""Do quoted 68 % intervals hold the truth in 68 % of toys? Two Gaussians of known means, 2,000 events a class."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from scipy.stats import norm

from root_gnn.metrics.auc import auc
from root_gnn.metrics.bootstrap import paired_difference
from root_gnn.metrics.rejection import rejection_of, rejections

N_CLASS = 2000
LABELS = np.repeat([0, 1], N_CLASS)
EFFICIENCIES = (0.3, 0.5)
HARD, EASY = 1.2, 1.8
"""Distance of the two classes: 85 and 230 background events pass at 30 % and 50 % signal, or 20 and 72."""
N_TOY = 1000
HELD = pytest.approx(0.68, abs=0.05)
pytestmark = pytest.mark.slow


def weights_of(generator, kind):
    if kind == "none":
        return None
    signs = np.where(generator.random(2 * N_CLASS) < 0.15, -1.0, 1.0) if kind == "signed" else 1.0
    return generator.exponential(size=2 * N_CLASS) * signs


def true_auc(shift):
    return norm.cdf(shift / math.sqrt(2.0))


def true_rejection(shift, at):
    return 1.0 / norm.sf(norm.isf(at) + shift)


@pytest.mark.parametrize("shift, kind", [(EASY, "none"), (HARD, "positive"), (HARD, "signed")])
def test_errors_of_auc_and_rejection_cover(shift, kind):
    generator, inside = np.random.default_rng(1), []
    truth = [true_auc(shift), *(true_rejection(shift, at) for at in EFFICIENCIES)]
    for toy in range(N_TOY):
        scores, weights = generator.normal(size=2 * N_CLASS) + shift * LABELS, weights_of(generator, kind)
        kept = rejections(scores, LABELS, weights, signal_efficiencies=EFFICIENCIES, n_replica=100, seed=toy)
        area = auc(scores, LABELS, weights)
        ends = [(area.value - area.error, area.value + area.error), *((one.low, one.high or math.inf) for one in kept)]
        inside.append([low < true < high for (low, high), true in zip(ends, truth, strict=True)])
    assert np.mean(inside, axis=0) == HELD


@pytest.mark.parametrize("metric, kind", [("auc", "signed"), (0.5, "none")])
def test_intervals_of_paired_differences_cover(metric, kind):
    """Two networks on the same events, alike up to a noise of their own; one of them has the classes further apart."""
    generator, inside, width = np.random.default_rng(2), 0, math.sqrt(1.25)
    true = true_auc if metric == "auc" else partial(true_rejection, at=metric)
    of = {} if metric == "auc" else {"metric": partial(rejection_of, signal_efficiency=metric)}
    for toy in range(N_TOY):
        shared = generator.normal(size=2 * N_CLASS)
        one, other = (shared + shift * LABELS + 0.5 * generator.normal(size=2 * N_CLASS) for shift in (1.3, 1.2))
        found = paired_difference(
            one[None], other[None], LABELS, weights_of(generator, kind), n_replica=100, seed=toy, **of
        )
        inside += found.low < true(1.3 / width) - true(1.2 / width) < found.high
    assert inside / N_TOY == HELD
