from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss

from root_gnn.metrics.cross_entropy import cross_entropy


def test_equals_scikit_learn_with_weights():
    generator = np.random.default_rng(0)
    labels, probabilities = generator.integers(0, 3, 300), generator.dirichlet(np.ones(3), 300)
    weights = generator.exponential(size=300)
    assert cross_entropy(probabilities, labels, weights).value == pytest.approx(
        log_loss(labels, probabilities, sample_weight=weights)
    )


def test_signed_mean_and_its_error():
    probabilities, weights = [[0.5, 0.5], [0.25, 0.75], [0.8, 0.2]], np.array([2.0, 1.0, -0.5])
    losses = -np.log([0.5, 0.75, 0.2])
    found = cross_entropy(probabilities, [0, 1, 1], weights)
    mean = np.sum(weights * losses) / 2.5
    n = 2.5**2 / np.sum(weights**2)
    assert found.value == pytest.approx(mean)
    assert found.error == pytest.approx(math.sqrt(n / (n - 1) * np.sum(weights**2 * (losses - mean) ** 2)) / 2.5)


def test_a_certain_mistake_is_finite():
    assert cross_entropy([[1.0, 0.0]], [1]).value == pytest.approx(708.4, abs=0.1)


def test_undefined_is_none():
    assert cross_entropy(np.zeros((0, 2)), []) is None
    assert cross_entropy([[0.5, 0.5]] * 2, [0, 1], [1.0, -2.0]) is None
