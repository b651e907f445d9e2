"""Anti-kT against a plain pairwise implementation."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("fastjet")

from root_gnn.clustering.jets import Jets, cluster_jets, cluster_members


def _naive_anti_kt(particles: np.ndarray, radius: float, min_pt: float) -> np.ndarray:
    """Sequential recombination with the distances as in the paper, rows px py pz E; E-scheme."""
    left, jets = [row.copy() for row in particles], []
    while left:
        p = np.array(left)
        pt, phi = np.hypot(p[:, 0], p[:, 1]), np.arctan2(p[:, 1], p[:, 0])
        rapidity = 0.5 * np.log((p[:, 3] + p[:, 2]) / (p[:, 3] - p[:, 2]))
        distance = np.diag(pt**-2.0)
        for i in range(len(p)):
            for j in range(i):
                dphi = np.angle(np.exp(1j * (phi[i] - phi[j])))
                distance[i, j] = (
                    min(pt[i], pt[j]) ** 2
                    / (pt[i] * pt[j]) ** 2
                    * ((rapidity[i] - rapidity[j]) ** 2 + dphi**2)
                    / radius**2
                )
                distance[j, i] = np.inf
        nearest = np.argmin(np.where(distance == 0, np.inf, distance))
        i, j = map(int, np.unravel_index(nearest, distance.shape))
        if i == j:
            jets.append(left.pop(i))
        else:
            left[j] = left[j] + left[i]
            left.pop(i)
    found = np.array(jets)
    found = found[np.hypot(found[:, 0], found[:, 1]) > min_pt]
    return found[np.argsort(-np.hypot(found[:, 0], found[:, 1]))]


def _particles(counts: list[int], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n = sum(counts)
    pt, eta, phi = rng.exponential(10, n) + 0.5, rng.normal(0, 0.8, n), rng.normal(3.1, 0.8, n)
    return np.stack((pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), np.hypot(pt * np.cosh(eta), 0.14)), axis=1)


def _cluster(particles: np.ndarray, counts: list[int]) -> Jets:
    return cluster_jets(*particles.T, counts=np.array(counts, dtype=np.int64), radius=0.4, min_pt=5.0)


def test_agrees_with_the_pairwise_form_event_by_event() -> None:
    counts = [25, 0, 1, 40, 12]
    particles = _particles(counts, 5)
    jets = _cluster(particles, counts)
    first = 0
    for event, count in enumerate(counts):
        mine = jets.event == event
        expected = _naive_anti_kt(particles[first : first + count], 0.4, 5.0) if count else np.zeros((0, 4))
        np.testing.assert_allclose(jets.pt[mine], np.hypot(expected[:, 0], expected[:, 1]), rtol=1e-9)
        np.testing.assert_allclose(jets.energy[mine], expected[:, 3], rtol=1e-9)
        np.testing.assert_allclose(jets.phi[mine], np.arctan2(expected[:, 1], expected[:, 0]), rtol=1e-9)
        first += count


def test_no_particle_at_all() -> None:
    assert len(_cluster(np.zeros((0, 4)), [0, 0]).pt) == 0


def test_nothing_goes_to_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    _cluster(_particles([5], 6), [5])
    assert capfd.readouterr().out == ""


def test_members_add_up_to_their_jets() -> None:
    counts = [25, 0, 1, 40, 12]
    particles = _particles(counts, 5)
    jets, members = cluster_members(*particles.T, counts=np.array(counts, dtype=np.int64), radius=0.4, min_pt=5.0)
    np.testing.assert_array_equal(jets.pt, _cluster(particles, counts).pt)
    assert len(np.unique(members.particle)) == len(members.particle)
    sums = np.stack([np.bincount(members.jet, axis[members.particle], len(jets.pt)) for axis in particles.T])
    np.testing.assert_allclose(np.hypot(sums[0], sums[1]), jets.pt, rtol=1e-9)
    np.testing.assert_allclose(sums[3], jets.energy, rtol=1e-9)
    event = np.repeat(np.arange(len(counts)), counts)
    np.testing.assert_array_equal(event[members.particle], jets.event[members.jet])
