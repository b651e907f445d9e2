"""Positional encodings: periods, ranks and reference nodes."""

from __future__ import annotations

import math

import torch

from root_gnn.graph.batch import Batch
from root_gnn.nn.positional_encoding import FourierAngles, angles_from, first_by, place_by, rank_encoding

BATCH = Batch.of(torch.tensor([[1.0], [5.0], [3.0], [2.0], [2.0]]), torch.tensor([3, 0, 2]))


def test_a_full_turn_in_phi_changes_nothing_and_one_in_eta_does() -> None:
    encoding, angles = FourierAngles(4), torch.linspace(-3.0, 3.0, 7, dtype=torch.float64)
    out = encoding(angles, angles)
    assert out.shape == (7, encoding.dim) == (7, 18)
    torch.testing.assert_close(encoding(angles, angles + 2.0 * math.pi), out, rtol=1e-9, atol=1e-9)
    assert float((encoding(angles + 2.0 * math.pi, angles) - out).abs().amax(1).min()) > 0.1


def test_the_first_frequency_of_eta_is_a_quarter() -> None:
    deta = torch.tensor([0.4], dtype=torch.float64)
    out = FourierAngles(1)(deta, torch.zeros_like(deta))[0]
    expected = [math.sin(0.1), math.sin(0.4), math.cos(0.1), math.cos(0.4), 0.0, 1.0]
    torch.testing.assert_close(out, torch.tensor(expected, dtype=torch.float64))


def test_ranks_start_again_in_each_graph_and_equals_keep_their_order() -> None:
    assert place_by(BATCH.nodes[:, 0], BATCH).tolist() == [0, 2, 1, 0, 1]
    assert first_by(-BATCH.nodes[:, 0], BATCH)[[0, 2]].tolist() == [1, 3]


def test_angles_are_from_the_hardest_visible_node() -> None:
    nodes = torch.tensor([[1.0, 0.5, 3.0], [9.0, 1.0, -3.0]])  # pt, eta, phi
    known, asked = Batch.of(nodes, torch.tensor([2])), Batch.of(torch.tensor([[4.0, 0.0, 3.0]]), torch.tensor([1]))
    deta, dphi = angles_from(known, asked, (0, 1, 2))
    assert deta.tolist() == [-1.0]
    torch.testing.assert_close(dphi, torch.tensor([6.0 - 2.0 * math.pi]))
    nothing = Batch.of(nodes[:0], torch.tensor([0]))
    assert [float(angle) for angle in angles_from(nothing, asked, (0, 1, 2))] == [0.0, 0.0]


def test_the_encoding_of_ranks_has_wavelengths_up_to_a_hundred_turns() -> None:
    out = rank_encoding(torch.tensor([0, 5]), 8)
    scales = [100.0 ** (-k / 3) for k in range(4)]
    expected = [[0.0] * 4 + [1.0] * 4, [math.sin(5 * x) for x in scales] + [math.cos(5 * x) for x in scales]]
    torch.testing.assert_close(out, torch.tensor(expected), rtol=1e-5, atol=1e-6)
