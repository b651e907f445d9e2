from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import eigh
from sklearn.metrics import silhouette_score

from root_gnn.errors import InputError
from root_gnn.similarity.separation import fisher, silhouette


def clusters(generator, *, distance=1.5, n_event=300, dim=8, n_class=3):
    """Gaussian classes about the corners of a simplex, with correlated features."""
    labels = generator.integers(0, n_class, n_event)
    return generator.normal(size=(n_event, dim)) + distance * np.eye(n_class, dim)[labels], labels


def true_fisher(distance, n_class):
    corners = distance * np.eye(n_class)
    return np.mean(np.sum((corners - corners.mean(axis=0)) ** 2, axis=1))


def test_fisher_is_hotellings_trace_less_its_bias():
    z, labels = clusters(np.random.default_rng(0))
    n, dim, n_class = 300, 8, 3
    inside = sum(
        (z[labels == k] - z[labels == k].mean(axis=0)).T @ (z[labels == k] - z[labels == k].mean(axis=0))
        for k in range(3)
    )
    total = (z - z.mean(axis=0)).T @ (z - z.mean(axis=0))
    trace = np.sum(eigh(total - inside, inside, eigvals_only=True))
    assert fisher(z, labels).value == pytest.approx(
        ((n - n_class - dim - 1) * trace - dim * (n_class - 1)) / n, rel=1e-9
    )


@pytest.mark.parametrize("distance, n_class, dim", [(0.0, 2, 40), (1.5, 2, 40), (1.5, 4, 10)])
def test_fisher_is_right_on_average_in_many_dimensions(distance, n_class, dim):
    generator = np.random.default_rng(1)
    found = [
        fisher(*clusters(generator, distance=distance, dim=dim, n_class=n_class, n_event=200)).value for _ in range(60)
    ]
    assert abs(np.mean(found) - true_fisher(distance, n_class)) < 4.0 * np.std(found) / np.sqrt(60)


@pytest.mark.parametrize("measure", [fisher, silhouette])
def test_error_is_the_spread_of_samples(measure):
    generator = np.random.default_rng(2)
    found = [measure(*clusters(generator, n_event=240)) for _ in range(80)]
    assert np.std([one.value for one in found]) == pytest.approx(np.mean([one.error for one in found]), rel=0.25)


def test_fisher_ignores_linear_maps_shifts_and_dead_features():
    generator = np.random.default_rng(3)
    z, labels = clusters(generator)
    expected = fisher(z, labels)
    assert fisher(z @ generator.normal(size=(8, 8)) + 100.0, labels) == pytest.approx(expected, rel=1e-6)
    assert fisher(np.hstack([z, z[:, :3], np.ones((300, 1))]), labels) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n_event", [60, 1100])
def test_silhouette_is_scikit_learns(n_event):
    z, labels = clusters(np.random.default_rng(4), n_event=n_event)
    labels[0] = 9  # alone in its class
    assert silhouette(z, labels).value == pytest.approx(silhouette_score(z, labels), abs=1e-9)
    assert silhouette(torch.tensor(z), labels) == silhouette(z, labels)


def test_silhouette_tells_clusters_from_labels_at_random():
    z, labels = clusters(np.random.default_rng(5), distance=20.0)
    assert silhouette(z, labels).value > 0.8
    mixed = silhouette(z, np.random.default_rng(6).permutation(labels))
    assert abs(mixed.value) < 0.05


@pytest.mark.parametrize("measure", [fisher, silhouette])
def test_one_class_has_no_separation(measure):
    assert measure(np.random.default_rng(7).normal(size=(50, 3)), np.zeros(50)) is None
    assert measure(np.zeros((0, 3)), []) is None


def test_fisher_needs_spread_and_events():
    z, labels = clusters(np.random.default_rng(8))
    assert fisher(np.eye(3)[labels], labels) is None
    assert fisher(np.ones((300, 2)), labels) is None
    assert fisher(z[:10], labels[:10]) is None
    assert silhouette(np.ones((300, 2)), labels).value == 0.0


@pytest.mark.parametrize("measure", [fisher, silhouette])
def test_wrong_arrays_are_named(measure):
    with pytest.raises(InputError, match=r"labels of shape \(4,\)"):
        measure(np.zeros((4, 2)), [0, 1])
    with pytest.raises(InputError, match="z of event 1 has entries that are not finite"):
        measure([[0.0], [np.nan]], [0, 1])
