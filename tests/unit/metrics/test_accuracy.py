from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from root_gnn.errors import InputError
from root_gnn.metrics.accuracy import accuracy, accuracy_of


def sample(seed, n_event=400, *, negative=0.0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, n_event)
    probabilities = generator.dirichlet(np.ones(3), n_event) + 0.4 * np.eye(3)[labels]
    weights = generator.exponential(size=n_event) * np.where(generator.random(n_event) < negative, -1.0, 1.0)
    return probabilities / probabilities.sum(axis=1, keepdims=True), labels, weights


def test_equals_scikit_learn_with_weights():
    probabilities, labels, weights = sample(0, negative=0.2)
    expected = accuracy_score(labels, probabilities.argmax(axis=1), sample_weight=weights)
    assert accuracy(probabilities, labels, weights).value == pytest.approx(expected, abs=1e-12)


def test_unweighted_error_is_wilsons():
    probabilities, labels, _ = sample(1)
    found, n = accuracy(probabilities, labels), 400
    expected = math.sqrt(found.value * (1 - found.value) / n + 1 / (4 * n**2)) / (1 + 1 / n)
    assert found.error == pytest.approx(expected, rel=1e-12)


def test_all_right_is_not_without_error():
    found = accuracy([[0.9, 0.1]] * 10, [0] * 10)
    assert found.value == 1.0
    assert 0.03 < found.error < 0.06


def test_error_covers_the_truth_with_negative_weights():
    truth = accuracy(*sample(2, 200_000)[:2]).value
    pulls = [
        (found.value - truth) / found.error
        for found in (accuracy(*sample(seed, negative=0.15)) for seed in range(10, 310))
    ]
    assert 0.8 < np.std(pulls) < 1.2
    assert abs(np.mean(pulls)) < 0.2


def test_undefined_is_none():
    assert accuracy(np.zeros((0, 2)), []) is None
    assert accuracy([[0.9, 0.1]] * 2, [0, 1], [1.0, -1.0]) is None


def test_a_label_without_a_column_is_named():
    with pytest.raises(InputError, match="labels from 0 to 1 and got 2 for event 0"):
        accuracy([[0.9, 0.1]], [2])
    with pytest.raises(InputError, match=r"\(n_event, n_class\)"):
        accuracy([0.9, 0.1], [0, 1])


def test_as_a_function_of_the_weights_it_is_the_same_share():
    probabilities, labels, weights = sample(9, negative=0.2)
    of = accuracy_of(probabilities, labels)
    for drawn in (weights, weights[::-1], np.ones(len(labels))):
        assert of(drawn) == pytest.approx(accuracy(probabilities, labels, drawn).value)
    assert of(-np.abs(weights)) is None
