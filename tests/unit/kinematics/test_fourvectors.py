"""Four-vectors against the vector library, as arrays and as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import vector

from root_gnn.kinematics.fourvectors import energy_of, mass, to_cartesian, to_cylindrical


@pytest.fixture
def particles() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    return {
        "pt": rng.exponential(50, 300) + 0.1,
        "eta": rng.normal(0, 2, 300),
        "phi": rng.uniform(-np.pi, np.pi, 300),
        "mass": rng.exponential(10, 300),
    }


@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy])
def test_agrees_with_vector(particles: dict[str, Any], convert: Any) -> None:
    reference = vector.array(particles)
    pt, eta, phi, masses = (convert(particles[name]) for name in ("pt", "eta", "phi", "mass"))
    px, py, pz = to_cartesian(pt, eta, phi)
    energy = energy_of(pt, eta, masses)
    for ours, theirs in ((px, reference.px), (py, reference.py), (pz, reference.pz), (energy, reference.E)):
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-10)
    np.testing.assert_allclose(np.asarray(mass(px, py, pz, energy)), particles["mass"], rtol=1e-4, atol=1e-4)
    for ours, name in zip(to_cylindrical(px, py, pz), ("pt", "eta", "phi"), strict=True):
        np.testing.assert_allclose(np.asarray(ours), particles[name], rtol=1e-9, atol=1e-12)


def test_along_the_beam_is_finite_and_signed() -> None:
    zero = np.zeros(2)
    pt, eta, _ = to_cylindrical(zero, zero, np.array([100.0, -100.0]))
    assert pt.tolist() == [0.0, 0.0]
    assert np.isfinite(eta).all()
    assert eta[0] > 20 and eta[1] == -eta[0]


def test_rounding_never_gives_an_imaginary_mass() -> None:
    momentum = np.array([1e3])
    assert mass(momentum, 0 * momentum, 0 * momentum, momentum * (1 - 1e-15))[0] == 0.0
