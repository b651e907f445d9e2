"""A jet moves as a whole, by at most its own extent times the width."""

from __future__ import annotations

import math

import pytest
import torch

from root_gnn.augmentations.moving import Plane
from root_gnn.augmentations.translate import Config
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import QUESTION, collimated, random_batch

BATCH = collimated(random_batch(Features(), (4, 1, 0, 6, 30) * 60, seed=1, question=QUESTION), Features())
DRAWS = RandomStream(seed=1, epoch=2)


def shifts(width: float) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """By how much each constituent moved in eta and in phi, jet by jet."""
    out = Config(width=width).build(Features())(BATCH, DRAWS)
    moved = (out.nodes - BATCH.nodes).double()
    phi = torch.remainder(moved[:, 2] + math.pi, 2.0 * math.pi) - math.pi
    counts = BATCH.n_node.tolist()
    return list(torch.split(moved[:, 1], counts)), list(torch.split(phi, counts))


@pytest.mark.parametrize("width", [0.3, 1.0])
def test_constituents_move_alike_and_not_too_far(width: float) -> None:
    for moves, extent in zip(shifts(width), Plane(Features()).extent(BATCH), strict=True):
        used = []
        for move, largest in zip(moves, extent.tolist(), strict=True):
            if move.numel():
                assert float(move.max() - move.min()) < 1e-6
                assert float(move.abs().max()) <= width * largest + 1e-6
            if move.numel() > 1:
                used.append(float(move[0]) / (width * largest))
        share = torch.tensor(used)
        assert abs(float(share.mean())) < 0.12 and math.isclose(
            float(share.var()), 1.0 / 3.0, abs_tol=0.06
        )  # uniform in -1, 1


def test_one_constituent_stays_bit_for_bit() -> None:
    out = Config().build(Features())(BATCH, DRAWS)
    alone = (BATCH.n_node == 1)[BATCH.graph_index]
    assert torch.equal(out.nodes[alone], BATCH.nodes[alone])


def test_the_mass_of_the_jet_stays() -> None:
    """A shift in eta is a boost along the beam, one in phi a turn about it."""
    out = Config().build(Features())(BATCH, DRAWS)
    masses = []
    for batch in (BATCH, out):
        pt, eta, phi, energy = batch.nodes[:, :4].double().unbind(1)
        own = (energy**2 - (pt * eta.cosh()) ** 2).clamp(min=0.0)
        rows = torch.stack([pt * phi.cos(), pt * phi.sin(), (pt**2 + own).sqrt() * eta.sinh(), energy], 1)
        x, y, z, e = torch.zeros(batch.n_graph, 4).double().index_add(0, batch.graph_index, rows).unbind(1)
        masses.append((e**2 - x**2 - y**2 - z**2).clamp(min=0.0).sqrt())
    many = BATCH.n_node > 1
    assert torch.allclose(masses[0][many], masses[1][many], rtol=2e-2)


def test_truth_moves_along() -> None:
    out = Config().build(Features())(BATCH, DRAWS)
    first = (torch.cumsum(BATCH.n_node, 0) - BATCH.n_node)[BATCH.n_node > 0]
    for name, column in (("W_eta", 1), ("W_phi", 2)):
        label = (out.labels[name] - BATCH.labels[name])[BATCH.n_node > 0]
        node = (out.nodes - BATCH.nodes)[first, column]
        assert float((torch.remainder(label - node + 1.0, 2 * math.pi) - 1.0).abs().max()) < 2e-6
    assert torch.equal(out.labels["W_m"], BATCH.labels["W_m"])


def test_offsets_from_the_axis_move_along() -> None:
    features = Features(nodes=("pt", "eta", "phi", "energy", "deta", "dphi"))
    batch = collimated(random_batch(features, (7,) * 20, seed=3), features)
    plane = Plane(features)
    nodes = batch.nodes.clone()
    nodes[:, 4:] = torch.stack(plane.offsets(batch, *plane.centre(batch)), 1).float()
    batch = batch.replace(nodes=nodes)
    moved = Config().build(features)(batch, DRAWS).nodes - batch.nodes
    assert torch.allclose(moved[:, 4], moved[:, 1], atol=1e-6)
    assert torch.allclose(torch.cos(moved[:, 5] - moved[:, 2]), torch.ones(batch.total_node), atol=1e-6)
    assert float(moved[:, 4].abs().max()) > 0.1
