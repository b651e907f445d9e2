"""Pair features against four-vectors in double precision, and finite for anything."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from root_gnn.graph.features import Features
from root_gnn.nn.pair_bias import BRANCHING, branching, momenta
from root_gnn.testing import random_batch

vector = pytest.importorskip("vector")


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-7), (torch.float32, 2e-2)])
def test_features_are_those_of_four_vectors(dtype: torch.dtype, tolerance: float) -> None:
    nodes = random_batch(Features(), (60,), seed=1).nodes[:, :4].double()
    first, second = torch.triu_indices(60, 60, offset=1)
    pt, eta, phi, energy = nodes.numpy().T
    particles = vector.array({"pt": pt, "eta": eta, "phi": phi, "E": energy})
    a, b = particles[first.numpy()], particles[second.numpy()]
    dr, softer = np.hypot(a.rapidity - b.rapidity, a.deltaphi(b)), np.minimum(a.pt, b.pt)
    expected = np.log(np.stack([softer * dr, softer / (a.pt + b.pt), dr, (a + b).mass2], 1))
    got = branching(momenta(nodes.to(dtype)), first, second)
    assert len(BRANCHING) == got.shape[1]
    np.testing.assert_allclose(got.double().numpy(), expected, atol=tolerance)
    torch.testing.assert_close(branching(momenta(nodes), second, first), branching(momenta(nodes), first, second))


@pytest.mark.parametrize(
    "values", [(0.0, 0.0, 0.0, 0.0), (1e30, 50.0, 3.0, 1e37), (1e-20, -50.0, -3.0, 0.0), (5.0, 1.0, 1.0, 1.0)]
)
def test_anything_stays_finite_with_its_gradient(values: tuple[float, ...]) -> None:
    nodes = torch.tensor([values, (20.0, 0.5, 3.1, 25.0)], requires_grad=True)
    out = branching(momenta(nodes), torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]))
    assert bool(torch.isfinite(out).all())
    out.sum().backward()
    assert nodes.grad is not None and bool(torch.isfinite(nodes.grad).all())
