"""Soft drop and N-subjettiness against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("fastjet")

from root_gnn.clustering.substructure import n_subjettiness, soft_drop_mass

RADIUS = 0.8


def _jet(rng: np.random.Generator, n: int) -> np.ndarray:
    """Massless rows px py pz E around three prongs."""
    prong = rng.integers(0, 3, n)
    pt = rng.exponential(20, n) + 0.5
    eta = np.array([0.1, 0.4, -0.2])[prong] + rng.normal(0, 0.08, n)
    phi = np.array([3.1, -2.9, 2.8])[prong] + rng.normal(0, 0.08, n)
    return np.stack((pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)), axis=1)


def _plane(p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.hypot(p[:, 0], p[:, 1]),
        0.5 * np.log((p[:, 3] + p[:, 2]) / (p[:, 3] - p[:, 2])),
        np.arctan2(p[:, 1], p[:, 0]),
    )


def _distance(y: np.ndarray, phi: np.ndarray) -> np.ndarray:
    turned = np.angle(np.exp(1j * (phi[:, None] - phi[None, :])))
    return np.asarray(np.hypot(y[:, None] - y[None, :], turned))


def _mass(p: np.ndarray) -> float:
    return float(np.sqrt(max(p[3] ** 2 - (p[:3] ** 2).sum(), 0.0)))


def _naive_soft_drop(particles: np.ndarray, z_cut: float, beta: float) -> float:
    """Cambridge/Aachen by brute force, then down the harder branch."""
    nodes: list[tuple[np.ndarray, list[int]]] = [(p, []) for p in particles]
    left = list(range(len(nodes)))
    while len(left) > 1:
        _, y, phi = _plane(np.array([nodes[i][0] for i in left]))
        distance = _distance(y, phi) + np.diag(np.full(len(left), np.inf))
        i, j = np.unravel_index(np.argmin(distance), distance.shape)
        nodes.append((nodes[left[i]][0] + nodes[left[j]][0], [left[i], left[j]]))
        left = [k for place, k in enumerate(left) if place not in (i, j)] + [len(nodes) - 1]
    momentum, parts = nodes[left[0]]
    while parts:
        pt, y, phi = _plane(np.array([nodes[i][0] for i in parts]))
        if pt.min() > z_cut * pt.sum() * (_distance(y, phi)[0, 1] / RADIUS) ** beta:
            break
        momentum, parts = nodes[parts[int(pt.argmax())]]
    return _mass(momentum)


def _naive_tau(particles: np.ndarray, n_axis: int) -> float:
    """Exclusive kT axes by brute force, each moved to the least sum of distances by Weiszfeld's iteration."""
    axes = [p.copy() for p in particles]
    while len(axes) > n_axis:
        pt, y, phi = _plane(np.array(axes))
        measure = np.minimum(pt[:, None], pt[None, :]) * _distance(y, phi) + np.diag(np.full(len(axes), np.inf))
        # an exclusive clustering to a number of jets in an endless cone never takes the distance to the beam
        i, j = np.unravel_index(np.argmin(measure), measure.shape)
        merged = axes[i] + axes[j]
        axes = [axis for place, axis in enumerate(axes) if place not in (i, j)] + [merged]
    pt, y, phi = _plane(particles)
    _, axis_y, axis_phi = _plane(np.array(axes))
    for _ in range(300):
        apart = np.hypot(y[:, None] - axis_y, np.angle(np.exp(1j * (phi[:, None] - axis_phi))))
        nearest = apart.argmin(axis=1)
        for k in range(n_axis):
            mine = nearest == k
            weight = pt[mine] / np.maximum(apart[mine, k], 1e-9)
            axis_y[k] = (weight * y[mine]).sum() / weight.sum()
            axis_phi[k] += (weight * np.angle(np.exp(1j * (phi[mine] - axis_phi[k])))).sum() / weight.sum()
    apart = np.hypot(y[:, None] - axis_y, np.angle(np.exp(1j * (phi[:, None] - axis_phi))))
    return float((pt * apart.min(axis=1)).sum() / (pt.sum() * RADIUS))


@pytest.fixture(scope="module")
def jets() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [_jet(rng, n) for n in (1, 2, 5, 12, 20, 31)]


@pytest.mark.parametrize(("z_cut", "beta"), [(0.1, 0.0), (0.25, 0.0), (0.1, 1.0)])
def test_soft_drop_is_what_declustering_gives(jets: list[np.ndarray], z_cut: float, beta: float) -> None:
    counts = np.array([len(jet) for jet in jets])
    found = soft_drop_mass(*np.concatenate(jets).T, counts=counts, radius=RADIUS, z_cut=z_cut, beta=beta)
    expected = [_naive_soft_drop(jet, z_cut, beta) for jet in jets]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-3)
    assert found[-1] > 10.0


def test_n_subjettiness_is_the_sum_of_distances_to_the_best_axes(jets: list[np.ndarray]) -> None:
    counts = np.array([len(jet) for jet in jets])
    found = n_subjettiness(*np.concatenate(jets).T, counts=counts, radius=RADIUS)
    assert found.shape == (len(jets), 4)
    for jet, tau in zip(jets[2:], found[2:], strict=True):
        np.testing.assert_allclose(tau, [_naive_tau(jet, n) for n in (1, 2, 3, 4)], rtol=0.02)
    assert (found[0] == 0).all() and (found[1, 1:] < 1e-9).all()  # no more constituents than axes
    assert (found[3:, 2] < 0.6 * found[3:, 1]).all()  # three prongs


def test_a_jet_does_not_feel_its_neighbours(jets: list[np.ndarray]) -> None:
    alone = soft_drop_mass(*jets[3].T, counts=np.array([12]), radius=RADIUS)
    together = soft_drop_mass(*np.concatenate(jets).T, counts=np.array([len(jet) for jet in jets]), radius=RADIUS)
    assert alone[0] == together[3]


def test_no_jets() -> None:
    empty, none = np.zeros(0), np.zeros(0, dtype=np.int64)
    assert soft_drop_mass(empty, empty, empty, empty, counts=none, radius=RADIUS).shape == (0,)
    assert n_subjettiness(empty, empty, empty, empty, counts=none, radius=RADIUS).shape == (0, 4)
