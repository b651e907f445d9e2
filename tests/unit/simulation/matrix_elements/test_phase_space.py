"""Phase space of top, antitop and Higgs boson: on shell, conserved, and of the right volume."""

from __future__ import annotations

import numpy as np

from root_gnn.simulation.matrix_elements.dirac import METRIC
from root_gnn.simulation.matrix_elements.phase_space import (
    N_RANDOM,
    THRESHOLD,
    sample,
    three_bodies,
    transverse_mass_squared,
)


def test_momenta_are_conserved_and_on_shell() -> None:
    point = sample(np.random.default_rng(3).uniform(0.02, 0.98, (40, N_RANDOM)), 13000.0).point
    np.testing.assert_allclose(point.top + point.antitop + point.higgs, point.first + point.second, atol=1e-8)
    for p, mass in ((point.top, 173.0), (point.antitop, 173.0), (point.higgs, 125.0)):
        np.testing.assert_allclose((METRIC * p * p).sum(axis=1), mass**2, rtol=1e-7)


def test_volume_of_three_bodies() -> None:
    """Far above threshold it is that of three massless particles, s / (256 pi^3) (Kleiss, Stirling, Ellis 1986,
    RAMBO).
    """
    s = np.full(20_000, 1e10)
    _, volume = three_bodies(np.random.default_rng(1).random((20_000, 5)), s)
    assert abs(volume.mean() / (1e10 / (256 * np.pi**3)) - 1) < 0.02


def test_volume_of_the_fractions() -> None:
    """The area of x1 x2 > t within the unit square is 1 - t + t log(t)."""
    uniform, t = np.random.default_rng(2).random((100_000, N_RANDOM)), (THRESHOLD / 1000.0) ** 2
    drawn = sample(uniform, 1000.0)
    np.testing.assert_allclose(drawn.x1 * drawn.x2 * 1000.0**2, drawn.s, rtol=1e-12)
    assert max(drawn.x1.max(), drawn.x2.max()) <= 1.0 and drawn.s.min() >= THRESHOLD**2 * (1.0 - 1e-12)
    area = drawn.volume / three_bodies(uniform[:, 2:], drawn.s)[1]
    error = area.std() / np.sqrt(len(area))
    assert abs(area.mean() - (1 - t + t * np.log(t))) < 4 * error and error < 0.01 * area.mean()


def test_transverse_mass() -> None:
    p = np.array([[13.0, 3.0, 4.0, 12.0]])  # m^2 = 0, pt = 5
    assert transverse_mass_squared(p)[0] == 25.0
