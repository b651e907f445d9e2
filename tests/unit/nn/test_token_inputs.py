"""Inputs of a network over particles against numpy, and what is said of a name that is not there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.nn.token_inputs import TokenInputs, relative_to_jet
from root_gnn.testing import random_batch

JETS = Features(nodes=("pt", "eta", "phi", "energy", "charge", "d0", "subjet", "type"), n_type=3)
SCALING = Scaling(nodes={"d0": Affine("tanh", 0.1, 2.0), "pt": Affine("log", 2.0, 3.0)})


def test_relative_inputs_are_those_of_numpy() -> None:
    batch = random_batch(JETS, (7, 1, 0, 4), seed=1)
    got, start = relative_to_jet(batch, [0, 1, 2, 3]).numpy(), 0
    for count in (7, 1, 0, 4):
        pt, eta, phi, energy = batch.nodes[start : start + count, :4].double().numpy().T
        if count:
            deta = eta - np.average(eta, weights=pt)
            dphi = np.angle(np.exp(1j * phi) * np.conj(np.sum(pt * np.exp(1j * phi))))
            expected = np.stack(
                [np.log(pt / pt.sum()), np.log(energy / energy.sum()), np.hypot(deta, dphi), deta, dphi], 1
            )
            np.testing.assert_allclose(got[start : start + count], expected, atol=1e-4)
        start += count


def test_names_say_which_input_is_where() -> None:
    batch = random_batch(JETS, (5, 3), seed=2)
    inputs = TokenInputs(JETS, SCALING, coordinates="jet")
    rows = inputs(batch)
    assert inputs.names == (
        "log_pt",
        "log_energy",
        "charge",
        "d0",
        "log_pt_rel",
        "log_energy_rel",
        "delta_r",
        "delta_eta",
        "delta_phi",
        "type_0",
        "type_1",
        "type_2",
    )
    assert rows.shape == (8, inputs.dim) == (8, len(inputs.names))
    torch.testing.assert_close(rows[:, 0], (batch.nodes[:, 0].log() - 2.0) / 3.0)
    torch.testing.assert_close(rows[:, 1], (batch.nodes[:, 3].log() - 2.0) * 0.7)
    torch.testing.assert_close(rows[:, 3], (batch.nodes[:, 5].tanh() - 0.1) / 2.0)
    assert torch.equal(rows[:, 9:].argmax(1).float(), batch.nodes[:, 7])
    some = TokenInputs(JETS, SCALING, coordinates="jet", chosen=("delta_r", "log_pt"))
    assert torch.equal(some(batch), rows[:, [6, 0]])
    assert "eta" in TokenInputs(JETS, SCALING, coordinates="event").names


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(InputError, match="did you mean log_pt"):
        TokenInputs(JETS, SCALING, coordinates="jet", chosen=("log_pT",))
    with pytest.raises(InputError, match="coordinates of events"):
        TokenInputs(JETS, SCALING, coordinates="event", chosen=("delta_r",))


def test_opposite_particles_have_a_gradient() -> None:
    nodes = torch.tensor(
        [[10.0, 0.0, 0.0, 10.0], [10.0, 0.0, torch.pi, 10.0], [0.0, 0.0, 0.0, 0.0]], requires_grad=True
    )
    batch = Batch.of(nodes, torch.tensor([2, 1]))
    relative_to_jet(batch, [0, 1, 2, 3]).sum().backward()
    assert nodes.grad is not None and bool(torch.isfinite(nodes.grad).all())
