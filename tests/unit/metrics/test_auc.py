from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from root_gnn.errors import InputError
from root_gnn.metrics.auc import auc, auc_multiclass, auc_multiclass_of, auc_of
from root_gnn.metrics.roc import area, cuts, efficiencies


def pairs(scores, labels, weights):
    """The definition: every signal-background pair, ties half."""
    signal, background = labels == 1, labels == 0
    right = (scores[signal][:, None] > scores[background]) + 0.5 * (scores[signal][:, None] == scores[background])
    product = weights[signal][:, None] * weights[background]
    return (right * product).sum() / product.sum()


def events(seed, n_event=300, *, ties=True, negative=0.2):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, n_event)
    scores = generator.normal(size=n_event) + labels
    weights = generator.exponential(size=n_event) * np.where(generator.random(n_event) < negative, -1.0, 1.0)
    return (np.round(scores, 1) if ties else scores), labels, weights


@pytest.mark.parametrize("seed", range(5))
def test_auc_counts_pairs_with_signed_weights_and_ties(seed):
    scores, labels, weights = events(seed)
    expected = pairs(scores, labels, weights)
    assert auc(scores, labels, weights).value == pytest.approx(expected, abs=1e-12)
    found = efficiencies(cuts(scores), labels == 1, weights)
    assert found is not None and area(*found) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ties", [True, False])
def test_auc_equals_scikit_learn_on_positive_weights(ties):
    scores, labels, weights = events(1, 2000, ties=ties, negative=0.0)
    assert auc(scores, labels, weights).value == pytest.approx(
        roc_auc_score(labels, scores, sample_weight=weights), abs=1e-12
    )


def test_auc_is_defined_where_scikit_learn_refuses_negative_weights():
    scores, labels, weights = events(2)
    with pytest.raises(ValueError, match="neither increasing nor decreasing"):
        roc_auc_score(labels, scores, sample_weight=weights)
    assert 0.5 < auc(scores, labels, weights).value < 1.0


def test_unweighted_error_is_delongs():
    scores, labels, _ = events(3)
    signal, background = scores[labels == 1], scores[labels == 0]
    right = (signal[:, None] > background) + 0.5 * (signal[:, None] == background)
    expected = np.var(right.mean(axis=1), ddof=1) / len(signal) + np.var(right.mean(axis=0), ddof=1) / len(background)
    assert auc(scores, labels).error == pytest.approx(math.sqrt(expected), rel=1e-12)


@pytest.mark.parametrize("negative", [0.0, 0.15])
def test_error_agrees_with_a_bootstrap(negative):
    scores, labels, weights = events(4, 2000, negative=negative)
    generator = np.random.default_rng(0)
    replicas = [auc(scores, labels, weights * generator.poisson(1.0, len(scores))).value for _ in range(400)]
    assert auc(scores, labels, weights).error == pytest.approx(np.std(replicas), rel=0.12)


@pytest.mark.parametrize("negative", [None, 0.15])
def test_error_covers_the_truth(negative):
    shift, generator = 1.2, np.random.default_rng(5)
    labels, pulls = np.repeat([0, 1], 250), []
    for _ in range(300):
        scores = generator.normal(size=500) + shift * labels
        weights = None
        if negative is not None:
            weights = generator.exponential(size=500) * np.where(generator.random(500) < negative, -1.0, 1.0)
        found = auc(scores, labels, weights)
        pulls.append((found.value - norm.cdf(shift / math.sqrt(2.0))) / found.error)
    assert 0.85 < np.std(pulls) < 1.15
    assert abs(np.mean(pulls)) < 0.2
    assert 0.6 < np.mean(np.abs(pulls) < 1.0) < 0.76


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-6, 1e6))
def test_auc_ignores_monotone_maps_order_and_weight_scale(seed, scale):
    scores, labels, weights = events(seed, 60)
    found = auc(scores, labels, weights)
    if found is None:
        return
    order = np.random.default_rng(seed).permutation(60)
    for again in (
        auc(scores**3, labels, weights),
        auc(np.arctan(scores), labels, weights),
        auc(scores[order], labels[order], weights[order]),
        auc(scores, labels, scale * weights),
    ):
        assert again.value == pytest.approx(found.value, rel=1e-9, abs=1e-9)
        assert again.error is None if found.error is None else again.error == pytest.approx(found.error, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_swapping_the_classes_mirrors_the_auc(seed):
    scores, labels, weights = events(seed, 60)
    found, mirrored = auc(scores, labels, weights), auc(scores, 1 - labels, weights)
    assert (found is None) == (mirrored is None)
    if found is not None:
        assert mirrored.value == pytest.approx(1.0 - found.value, abs=1e-9)


def test_constant_scores_give_one_half():
    assert auc(np.zeros(20), np.arange(20) % 2).value == 0.5


@pytest.mark.parametrize(
    "labels, weights",
    [
        ([1, 1, 1], None),
        ([0, 0, 0], None),
        ([0, 1, 1], [1.0, 1.0, -1.0]),
        ([0, 1, 1], [1.0, 1.0, -2.0]),
        ([0, 1, 1], [0.0, 1.0, 1.0]),
    ],
)
def test_undefined_is_none(labels, weights):
    assert auc([0.1, 0.2, 0.3], labels, weights) is None
    assert auc([], []) is None


def test_one_event_of_a_class_has_a_value_and_no_error():
    assert auc([0.1, 0.9], [0, 1]) == (1.0, None)


@pytest.mark.parametrize(
    "arguments, word",
    [
        (([0.1, np.nan], [0, 1]), "event 1 is nan"),
        (([0.1, 0.2], [0, 2]), "labels from 0 to 1 and got 2 for event 1"),
        (([0.1, 0.2], [0, 1, 1]), r"shape \(2,\)"),
        (([0.1, 0.2], [0, 1], [1.0, np.inf]), "weight of event 1 is inf"),
        (([[0.1, 0.2]], [0]), "one score per event"),
    ],
)
def test_wrong_arrays_are_named(arguments, word):
    with pytest.raises(InputError, match=word):
        auc(*arguments)


def many_classes(seed, n_event=600, n_class=4, *, negative=0.0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, n_class, n_event)
    logits = generator.normal(size=(n_event, n_class)) + 1.2 * np.eye(n_class)[labels]
    weights = generator.exponential(size=n_event) * np.where(generator.random(n_event) < negative, -1.0, 1.0)
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), labels, weights


def test_multiclass_equals_scikit_learn_one_vs_one():
    probabilities, labels, _ = many_classes(0)
    expected = roc_auc_score(labels, probabilities, multi_class="ovo", average="macro")
    assert auc_multiclass(probabilities, labels).value == pytest.approx(expected, abs=1e-12)


def test_multiclass_with_signed_weights_is_the_mean_over_pairs():
    probabilities, labels, weights = many_classes(1, negative=0.2)
    areas = []
    for one in range(4):
        for other in set(range(4)) - {one}:
            used = (labels == one) | (labels == other)
            areas.append(pairs(probabilities[used, one], (labels[used] == one).astype(int), weights[used]))
    assert auc_multiclass(probabilities, labels, weights).value == pytest.approx(np.mean(areas), abs=1e-12)


def test_multiclass_of_two_classes_is_the_binary_auc():
    probabilities, labels, weights = many_classes(2, n_class=2, negative=0.1)
    assert auc_multiclass(probabilities, labels, weights) == pytest.approx(
        auc(probabilities[:, 1], labels, weights), abs=1e-9
    )


def test_multiclass_error_agrees_with_a_bootstrap():
    probabilities, labels, weights = many_classes(3, 1500, negative=0.1)
    generator = np.random.default_rng(0)
    replicas = [
        auc_multiclass(probabilities, labels, weights * generator.poisson(1.0, len(labels))).value for _ in range(200)
    ]
    assert auc_multiclass(probabilities, labels, weights).error == pytest.approx(np.std(replicas), rel=0.15)


def test_multiclass_without_one_class_is_none():
    probabilities, labels, _ = many_classes(4)
    assert auc_multiclass(probabilities, np.minimum(labels, 2)) is None


def test_as_functions_of_the_weights_they_are_the_same_areas():
    generator = np.random.default_rng(6)
    scores, labels, _ = events(1)
    probabilities, classes, _ = many_classes(2)
    probabilities = np.round(probabilities, 2)  # with ties
    of, of_many = auc_of(scores, labels), auc_multiclass_of(probabilities, classes)
    for _ in range(5):
        weights = generator.normal(1.0, 0.8, len(labels)) * generator.poisson(1.0, len(labels))
        assert of(weights) == pytest.approx(pairs(scores, labels, weights))
        sign: Any = np.where(generator.random(len(classes)) < 0.1, -1.0, 1.0)
        weights = generator.poisson(1.0, len(classes)) * sign
        assert of_many(weights) == pytest.approx(auc_multiclass(probabilities, classes, weights).value)
    assert of_many(weights * (classes != 2)) is None
    assert auc_multiclass_of(probabilities, classes % 2)(weights) is None, "two classes without any event"
