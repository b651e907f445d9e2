"""Kinematics of pairs against four-vectors in double precision, and finite for anything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import vector
from torch import Tensor

from root_gnn.graph.features import Features
from root_gnn.kinematics.object_pairs import (
    ObjectPairs,
    pairs_by_pseudorapidity,
    pairs_by_rapidity,
    pseudorapidity_kinematics,
    rapidity_kinematics,
)
from root_gnn.testing import random_batch

FORMS = pytest.mark.parametrize(
    ("describe", "pair"),
    [(pseudorapidity_kinematics, pairs_by_pseudorapidity), (rapidity_kinematics, pairs_by_rapidity)],
    ids=["pseudorapidity", "rapidity"],
)
Describe = Callable[[Tensor], Tensor]
Pair = Callable[[Tensor, Tensor], ObjectPairs]


@FORMS
def test_pairs_are_those_of_four_vectors(describe: Describe, pair: Pair) -> None:
    nodes = random_batch(Features(), (60,), seed=1).nodes[:, :4].double()
    first, second = torch.triu_indices(60, 60, offset=1)
    pt, eta, phi, energy = nodes.numpy().T
    particles = vector.array({"pt": pt, "eta": eta, "phi": phi, "E": energy})
    a, b = particles[first.numpy()], particles[second.numpy()]
    deta = a.rapidity - b.rapidity if pair is pairs_by_rapidity else a.eta - b.eta
    got = pair(describe(nodes)[first], describe(nodes)[second])
    expected = {
        "pt_first": a.pt,
        "pt_second": b.pt,
        "delta_eta": deta,
        "delta_phi": a.deltaphi(b),
        "delta_r": np.hypot(deta, a.deltaphi(b)),
        "softer_pt": np.minimum(a.pt, b.pt),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(got, name).numpy(), values, rtol=1e-9, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(got.mass2().numpy(), (a + b).mass2, rtol=1e-7)


@FORMS
@pytest.mark.parametrize(
    "values", [(0.0, 0.0, 0.0, 0.0), (1e30, 50.0, 3.0, 1e37), (1e-20, -50.0, -3.0, 0.0), (5.0, 1.0, 1.0, 1.0)]
)
def test_everything_is_finite_with_its_gradient(describe: Describe, pair: Pair, values: tuple[float, ...]) -> None:
    nodes = torch.tensor([values, (20.0, 0.5, 3.1, 25.0)], requires_grad=True)
    objects = describe(nodes)
    pairs = pair(objects[[0, 1, 1]], objects[[0, 0, 1]])
    out = pairs.delta_r.sum() + (pairs.mass2() + 1e-8).log().sum()
    assert bool(torch.isfinite(out))
    out.backward()
    assert nodes.grad is not None and bool(torch.isfinite(nodes.grad).all())
