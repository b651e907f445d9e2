"""Pair features against the vector library in float64, and finite everywhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import vector
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.kinematics.pairs import (
    KNOWN,
    PAIR_FEATURES,
    PairFeature,
    add_pair_feature,
    pair_feature,
    pair_features,
)

ANY = st.lists(st.floats(-(2.0**119), 2.0**119, width=32), min_size=4, max_size=4)
COLUMN = {name: i for i, name in enumerate(PAIR_FEATURES)}


def _objects(n: int, seed: int, mass_scale: float = 8.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pt, eta, phi = rng.exponential(60, n) + 10, rng.uniform(-4.5, 4.5, n), rng.uniform(-np.pi, np.pi, n)
    energy = np.sqrt((pt * np.cosh(eta)) ** 2 + rng.exponential(mass_scale, n) ** 2)
    return np.stack((pt, eta, phi, energy), axis=1)


def _vectors(objects: np.ndarray) -> vector.MomentumNumpy4D:
    return vector.array({"pt": objects[:, 0], "eta": objects[:, 1], "phi": objects[:, 2], "E": objects[:, 3]})


def test_agrees_with_vector_in_float64() -> None:
    sender, receiver = _objects(1000, 1), _objects(1000, 2)
    features = pair_features(torch.from_numpy(sender), torch.from_numpy(receiver)).numpy()
    a, b = _vectors(sender), _vectors(receiver)
    softer = np.minimum(a.pt, b.pt)
    expected = {
        "delta_eta": a.deltaeta(b),
        "delta_phi": a.deltaphi(b),
        "delta_r": a.deltaR(b),
        "ln_kt": np.log(softer * a.deltaR(b)),
        "ln_z": np.log(softer / (a.pt + b.pt)),
        "ln_m2": np.log(((a + b).mass) ** 2),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(features[:, COLUMN[name]], values, rtol=1e-7, atol=1e-9, err_msg=name)


def test_single_precision_keeps_the_mass_of_collinear_pairs() -> None:
    sender = _objects(1000, 3, mass_scale=1e-9)
    receiver = sender.copy()
    receiver[:, 1:3] += np.random.default_rng(4).normal(0, 0.02, (1000, 2))
    receiver[:, 3] = receiver[:, 0] * np.cosh(receiver[:, 1])
    sender32, receiver32 = (torch.from_numpy(x.astype(np.float32)) for x in (sender, receiver))
    reference = pair_features(sender32.double(), receiver32.double())
    opening = (sender32[:, 1] - receiver32[:, 1]).abs() + (sender32[:, 2] - receiver32[:, 2]).abs() > 0.01
    difference = (pair_features(sender32, receiver32).double() - reference)[opening].abs()
    plain = (_plain_m2(sender32, receiver32).clamp(min=1e-8).log() - reference[:, COLUMN["ln_m2"]])[opening].abs()
    assert difference[:, COLUMN["ln_m2"]].median() < 5e-3
    assert difference[:, COLUMN["ln_m2"]].quantile(0.9) < 0.2 * plain.quantile(0.9)
    assert difference[:, COLUMN["ln_kt"]].max() < 1e-4


def _plain_m2(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(E^2 - p^2) of the summed four-momenta, which cancels."""
    px, py, pz, energy = (p + q for p, q in zip(_cartesian(a), _cartesian(b), strict=True))
    return energy**2 - px**2 - py**2 - pz**2


def _cartesian(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return x[:, 0] * x[:, 2].cos(), x[:, 0] * x[:, 2].sin(), x[:, 0] * x[:, 1].sinh(), x[:, 3]


def test_swapping_flips_the_differences_only() -> None:
    a, b = (torch.from_numpy(_objects(200, seed)).float() for seed in (5, 6))
    forward, backward = pair_features(a, b), pair_features(b, a)
    torch.testing.assert_close(forward[:, :2], -backward[:, :2])
    torch.testing.assert_close(forward[:, 2:], backward[:, 2:])


def test_rotation_and_reflection_change_nothing_but_the_sign_of_delta_eta() -> None:
    a, b = (torch.from_numpy(_objects(200, seed)) for seed in (7, 8))
    change, shift = torch.tensor([1.0, -1.0, 1.0, 1.0]), torch.tensor([0.0, 0.0, 2.5, 0.0])
    moved = pair_features(a * change + shift, b * change + shift)
    expected = pair_features(a, b) * torch.tensor([-1.0, 1, 1, 1, 1, 1])
    torch.testing.assert_close(moved, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(ANY, ANY)
def test_finite_for_every_finite_input(sender: list[float], receiver: list[float]) -> None:
    a = torch.tensor([sender, receiver, sender], dtype=torch.float32)
    b = torch.tensor([receiver, sender, sender], dtype=torch.float32)
    assert torch.isfinite(pair_features(a, b)).all()


def test_gradient_is_finite_for_an_object_with_itself() -> None:
    objects = torch.from_numpy(_objects(20, 9)).float().requires_grad_()
    pair_features(objects, objects).sum().backward()
    assert objects.grad is not None
    assert torch.isfinite(objects.grad).all()


def test_broadcasts_to_all_pairs() -> None:
    objects = torch.from_numpy(_objects(5, 10))
    grid = pair_features(objects[:, None], objects[None, :])
    assert grid.shape == (5, 5, 6)
    torch.testing.assert_close(grid[1, 3], pair_features(objects[1:2], objects[3:4])[0])


def test_symmetric_features_do_not_depend_on_the_order_of_the_two_and_the_others_do() -> None:
    a, b = (torch.from_numpy(_objects(50, seed)) for seed in (11, 12))
    for name, feature in KNOWN.items():
        forward, backward = pair_features(a, b, [name]), pair_features(b, a, [name])
        assert torch.allclose(forward, backward, rtol=1e-12, atol=1e-12) == feature.symmetric, name


def test_a_name_is_taken_once_and_unknown_ones_are_refused_with_the_list() -> None:
    with pytest.raises(ValueError, match="there is a pair feature ln_kt already"):
        add_pair_feature(PairFeature("ln_kt", lambda pairs: pairs.delta_r))
    with pytest.raises(ValueError, match=r"no pair feature 'kt'; known are: delta_eta, .*, ln_dr"):
        pair_feature("kt")
