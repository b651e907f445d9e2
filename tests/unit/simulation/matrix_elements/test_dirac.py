"""Gamma matrices, spinors and propagators."""

from __future__ import annotations

import numpy as np

from root_gnn.simulation.matrix_elements.dirac import (
    GAMMA,
    GAMMA5,
    METRIC,
    antiparticle_spinors,
    bar,
    dot,
    gluon_polarisations,
    particle_spinors,
    propagator,
    slash,
)

MASS = 173.0


def _on_shell(n: int = 20) -> np.ndarray:
    p = np.random.default_rng(3).normal(0.0, 300.0, (n, 4))
    p[:, 0] = np.sqrt(MASS**2 + (p[:, 1:] ** 2).sum(axis=1))
    return p


def test_clifford_algebra() -> None:
    products = np.einsum("mij,njk->mnik", GAMMA, GAMMA)
    np.testing.assert_array_equal(products + products.swapaxes(0, 1), 2 * np.diag(METRIC)[..., None, None] * np.eye(4))
    np.testing.assert_array_equal(1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3], GAMMA5)


def test_a_momentum_squared_is_its_slashed_matrix_squared() -> None:
    p = np.random.default_rng(1).normal(size=(10, 4))
    np.testing.assert_allclose(slash(p) @ slash(p), dot(p, p)[:, None, None] * np.eye(4), atol=1e-12)
    inverse = slash(p) - 2.0 * np.eye(4)
    np.testing.assert_allclose(propagator(p, 2.0) @ inverse, np.broadcast_to(np.eye(4), (10, 4, 4)), atol=1e-12)


def test_spins_add_up() -> None:
    p = _on_shell()
    u, v = particle_spinors(p, MASS), antiparticle_spinors(p, MASS)
    np.testing.assert_allclose(u @ bar(u), slash(p) + MASS * np.eye(4), atol=1e-8)
    np.testing.assert_allclose(v @ bar(v), slash(p) - MASS * np.eye(4), atol=1e-8)


def test_spinors_solve_the_equation_of_dirac() -> None:
    p = _on_shell()
    np.testing.assert_allclose((slash(p) - MASS * np.eye(4)) @ particle_spinors(p, MASS), 0.0, atol=1e-8)
    np.testing.assert_allclose((slash(p) + MASS * np.eye(4)) @ antiparticle_spinors(p, MASS), 0.0, atol=1e-8)


def test_gluons_are_polarised_across_the_beam() -> None:
    e = gluon_polarisations(3)
    np.testing.assert_allclose(dot(e, np.array([1.0, 0.0, 0.0, 1.0])), 0.0, atol=1e-15)
    np.testing.assert_allclose(
        dot(e[:, :, None], e[:, None].conj()), -np.broadcast_to(np.eye(2), (3, 2, 2)), atol=1e-15
    )
