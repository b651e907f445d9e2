"""Amplitudes against a slow reference of traces, gauge invariance, symmetries."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from root_gnn.simulation.matrix_elements.dirac import METRIC
from root_gnn.simulation.matrix_elements.phase_space import N_RANDOM, sample
from root_gnn.simulation.matrix_elements.tth import TOP_MASS, Kinematics, gluons_squared, quarks_squared, squared

ANGLES = (0.0, 0.7, np.pi / 2)
# gamma matrices of the Dirac basis, where those of the package are of the chiral one
_ONE, _X, _Y, _Z = np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
DIRAC = [np.kron(_Z, _ONE), *(np.kron(1j * _Y, s) for s in (_X, _Y, _Z))]
GAMMA5 = np.kron(_X, _ONE)


def _points(n: int = 40) -> Kinematics:
    return sample(np.random.default_rng(3).uniform(0.02, 0.98, (n, N_RANDOM)), 13000.0).point


def _slash(p: np.ndarray) -> np.ndarray:
    return sum(METRIC[i] * p[i] * DIRAC[i] for i in range(4))


def _propagator(p: np.ndarray) -> np.ndarray:
    return (_slash(p) + TOP_MASS * np.eye(4)) / ((METRIC * p * p).sum() - TOP_MASS**2)


def _spin_sum(left: np.ndarray, right: np.ndarray, top: np.ndarray, antitop: np.ndarray) -> complex:
    """Tr of (top + m) left (antitop - m) right-bar."""
    adjoint = DIRAC[0] @ right.conj().T @ DIRAC[0]
    return np.trace((_slash(top) + TOP_MASS * np.eye(4)) @ left @ (_slash(antitop) - TOP_MASS * np.eye(4)) @ adjoint)


def _reference(point: Kinematics, i: int, angle: float) -> tuple[float, float]:
    """Squared amplitudes of one point from gluons and from a quark as first parton, by traces and loops, colours by
    Gell-Mann matrices.
    """
    k1, k2, t, tbar, h = (p[i] for p in (point.first, point.second, point.top, point.antitop, point.higgs))
    y = np.cos(angle) * np.eye(4) + 1j * np.sin(angle) * GAMMA5
    s = _propagator

    def ordered(a: np.ndarray, ea: np.ndarray, b: np.ndarray, eb: np.ndarray) -> np.ndarray:
        ea, eb = _slash(ea), _slash(eb)
        return (
            y @ s(t + h) @ ea @ s(b - tbar) @ eb
            + ea @ s(t - a) @ y @ s(b - tbar) @ eb
            + ea @ s(t - a) @ eb @ s(-tbar - h) @ y
        )

    def on_line(current: np.ndarray) -> np.ndarray:
        return y @ s(t + h) @ _slash(current) + _slash(current) @ s(-tbar - h) @ y

    virtuality = (METRIC * (k1 + k2) ** 2).sum()
    colour = _gell_mann()
    gluons = 0.0
    for e1, e2 in itertools.product(
        np.eye(4)[1:3], repeat=2
    ):  # linear polarisations, where the package has circular ones
        fused = on_line(((METRIC * e1 * e2).sum() * (k1 - k2)) / virtuality)
        one, two = ordered(k1, e1, k2, e2) + fused, ordered(k2, e2, k1, e1) - fused
        flows = [[_spin_sum(x, z, t, tbar) for z in (one, two)] for x in (one, two)]
        for a, b in itertools.product(range(8), repeat=2):
            words = colour[a] @ colour[b], colour[b] @ colour[a]
            gluons += sum((np.trace(words[m] @ words[n].conj().T) * flows[m][n]).real for m in (0, 1) for n in (0, 1))
    unit = np.eye(4)
    quarks = 0.0
    for mu, nu in itertools.product(range(4), repeat=2):
        tensor = np.trace(_slash(k1) @ DIRAC[nu] @ _slash(k2) @ DIRAC[mu])
        heavy = _spin_sum(on_line(unit[mu]), on_line(unit[nu]), t, tbar)
        quarks += (tensor * heavy).real * METRIC[mu] ** 2 / virtuality**2
    colours = sum(np.trace(x @ z) ** 2 for x in colour for z in colour).real
    return gluons / (4 * 64), quarks * colours / (4 * 9)


def _gell_mann() -> list[np.ndarray]:
    matrices = []
    for i, j in ((0, 1), (0, 2), (1, 2)):
        for entry in (1.0, -1j):
            matrix = np.zeros((3, 3), complex)
            matrix[i, j], matrix[j, i] = entry, np.conj(entry)
            matrices.append(matrix / 2)
    return [*matrices, np.diag([1, -1, 0]) / 2 + 0j, np.diag([1, 1, -2]) / np.sqrt(12) + 0j]


@pytest.mark.parametrize("angle", ANGLES)
def test_as_traces_say(angle: float) -> None:
    point = _points(3)
    fast = squared(point, angle)
    for i in range(3):
        gluons, quarks = _reference(point, i, angle)
        np.testing.assert_allclose(fast.gluons[i], gluons, rtol=1e-9)
        np.testing.assert_allclose(fast.quark_first[i], quarks, rtol=1e-9)


@pytest.mark.parametrize("angle", ANGLES)
def test_gauge_invariance(angle: float) -> None:
    point = _points()
    along = (point.first / point.first[:, :1])[:, None].astype(np.complex128)
    ratio = gluons_squared(point, angle, along)[0] / gluons_squared(point, angle)[0]
    assert 0 <= ratio.max() < 1e-20


def test_symmetries() -> None:
    point = _points()
    swapped = Kinematics(point.second, point.first, point.top, point.antitop, point.higgs)
    turned = Kinematics(
        *(p * [1, -1, 1, -1] for p in (point.second, point.first, point.top, point.antitop, point.higgs))
    )  # half a turn about y
    conjugate = Kinematics(point.first, point.second, point.antitop, point.top, point.higgs)
    for angle in ANGLES:
        gluons, near = gluons_squared(point, angle)
        np.testing.assert_allclose(gluons_squared(turned, angle)[0], gluons, rtol=1e-9)
        np.testing.assert_allclose(gluons_squared(swapped, angle)[1], 1 - near, rtol=1e-9)
        np.testing.assert_allclose(gluons_squared(conjugate, angle)[0], gluons, rtol=1e-9)
        np.testing.assert_allclose(gluons_squared(point, np.pi - angle)[0], gluons, rtol=1e-9)
        quarks = quarks_squared(point, angle, point.first, point.second)
        np.testing.assert_allclose(quarks_squared(conjugate, angle, point.second, point.first), quarks, rtol=1e-9)


def test_a_mixed_angle_is_the_sum_of_even_and_odd() -> None:
    point = _points()
    even, mixed, odd = (gluons_squared(point, angle)[0] for angle in ANGLES)
    np.testing.assert_allclose(mixed, np.cos(0.7) ** 2 * even + np.sin(0.7) ** 2 * odd, rtol=1e-9)
    assert (np.abs(odd / even - 1) > 0.1).any()
