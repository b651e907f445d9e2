"""Angles against complex numbers and the vector library."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import vector
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.kinematics.angles import delta_eta, delta_phi, delta_r, wrap_phi

ANGLES = st.floats(-50.0, 50.0)


@settings(max_examples=50, deadline=None)
@given(ANGLES)
def test_wrapped_angle_is_the_same_direction_in_range(phi: float) -> None:
    wrapped = wrap_phi(np.array([phi]))[0]
    assert -math.pi - 1e-12 <= wrapped <= math.pi + 1e-12
    assert np.exp(1j * wrapped) == pytest.approx(np.exp(1j * phi), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.floats(-3.14, 3.14))
def test_angle_in_range_is_returned_bit_for_bit(phi: float) -> None:
    assert wrap_phi(np.array([phi]))[0] == phi
    single = torch.tensor([phi], dtype=torch.float32)
    assert torch.equal(wrap_phi(single), single)


@settings(max_examples=50, deadline=None)
@given(ANGLES, ANGLES)
def test_delta_phi_is_odd_and_periodic(a: float, b: float) -> None:
    x, y = np.array([a]), np.array([b])
    assert np.sin(delta_phi(x, y)) == pytest.approx(-np.sin(delta_phi(y, x)), abs=1e-12)
    assert np.cos(delta_phi(x + 2 * math.pi, y)) == pytest.approx(np.cos(delta_phi(x, y)), abs=1e-12)


def test_delta_phi_across_the_cut() -> None:
    assert delta_phi(np.array([3.1]), np.array([-3.1]))[0] == pytest.approx(6.2 - 2 * math.pi)
    assert delta_phi(torch.tensor([-3.1]), torch.tensor([3.1])).item() == pytest.approx(2 * math.pi - 6.2, abs=1e-6)


def test_differences_agree_with_vector() -> None:
    rng = np.random.default_rng(1)
    eta, phi = rng.normal(0, 2, (2, 500)), rng.uniform(-math.pi, math.pi, (2, 500))
    first, second = (vector.array({"pt": np.ones(500), "eta": eta[i], "phi": phi[i]}) for i in (0, 1))
    np.testing.assert_allclose(delta_phi(phi[0], phi[1]), first.deltaphi(second), atol=1e-12)
    np.testing.assert_allclose(delta_eta(eta[0], eta[1]), first.deltaeta(second), atol=1e-12)
    np.testing.assert_allclose(delta_r(eta[0], phi[0], eta[1], phi[1]), first.deltaR(second), atol=1e-12)
    tensors = [torch.from_numpy(x) for x in (eta[0], phi[0], eta[1], phi[1])]
    np.testing.assert_allclose(delta_r(*tensors).numpy(), first.deltaR(second), atol=1e-12)
