"""Positions in the plane against loops over plain floats, and what follows a node that is moved."""

from __future__ import annotations

import math

import torch
import vector
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.augmentations.moving import Plane, truth_directions
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.testing import collimated, random_batch

JET = Features(nodes=("deta", "pt", "phi", "charge", "eta", "dphi", "energy"))
SIZES = (5, 1, 0, 9, 2, 30)
BATCH = collimated(random_batch(JET, SIZES, seed=1), JET)


def rows(batch: Batch, name: str, graph: int) -> list[float]:
    return [float(x) for x in batch.nodes[batch.graph_index == graph, JET.column(name)]]


def wrapped(angle: float) -> float:
    return math.remainder(angle, 2.0 * math.pi)


def naive_centre(batch: Batch, graph: int) -> tuple[float, float]:
    pt, eta, phi = (rows(batch, name, graph) for name in ("pt", "eta", "phi"))
    if not pt:
        return 0.0, 0.0
    x, y = (sum(p * f(a) for p, a in zip(pt, phi, strict=True)) for f in (math.cos, math.sin))
    direction = math.atan2(y, x)
    around = sum(p * wrapped(a - direction) for p, a in zip(pt, phi, strict=True)) / sum(pt)
    return sum(p * e for p, e in zip(pt, eta, strict=True)) / sum(pt), wrapped(direction + around)


def with_offsets(batch: Batch, sides: tuple[float, ...]) -> Batch:
    """`deta`, `dphi` from the centre, `deta` times the sign of each graph's side."""
    plane = Plane(JET)
    x, y = plane.offsets(batch, *plane.centre(batch))
    nodes = batch.nodes.clone()
    nodes[:, JET.column("deta")] = (x * torch.tensor(sides).double()[batch.graph_index]).float()
    nodes[:, JET.column("dphi")] = y.float()
    return batch.replace(nodes=nodes)


def shifts(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x, y = (torch.rand(2, BATCH.total_node, generator=generator, dtype=torch.float64) - 0.5) * 2.0
    return x, y


def test_the_centre_is_that_of_a_loop() -> None:
    eta, phi = Plane(JET).centre(BATCH)
    for graph in range(BATCH.n_graph):
        expected = naive_centre(BATCH, graph)
        assert math.isclose(float(eta[graph]), expected[0], abs_tol=1e-12)
        assert abs(wrapped(float(phi[graph]) - expected[1])) < 1e-12


def test_the_extent_is_that_of_a_loop_and_knows_that_phi_closes() -> None:
    across = BATCH.nodes.clone()
    across[:, JET.column("phi")] = torch.where(torch.arange(BATCH.total_node) % 2 == 0, 3.1, -3.1)
    for batch in (BATCH, BATCH.replace(nodes=across)):
        extent_eta, extent_phi = Plane(JET).extent(batch)
        for graph in range(batch.n_graph):
            eta = rows(batch, "eta", graph) or [0.0]
            phi = [wrapped(p - naive_centre(batch, graph)[1]) for p in rows(batch, "phi", graph)] or [0.0]
            assert math.isclose(float(extent_eta[graph]), max(eta) - min(eta), abs_tol=1e-12)
            assert math.isclose(float(extent_phi[graph]), max(phi) - min(phi), abs_tol=1e-12)


def test_nodes_without_any_pt_have_the_middle_of_their_positions() -> None:
    nodes = torch.zeros(2, 7)
    nodes[:, JET.column("eta")] = torch.tensor([1.0, 2.0])
    nodes[:, JET.column("phi")] = torch.tensor([3.0, -3.0])
    eta, phi = Plane(JET).centre(Batch.of(nodes, torch.tensor([2])))
    assert math.isclose(float(eta), 1.5) and math.isclose(abs(float(phi)), math.pi, abs_tol=1e-6)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_pt_and_mass_stay_and_the_energy_follows(seed: int) -> None:
    batch = random_batch(JET, SIZES, seed=seed)  # masses up to 10 GeV
    x, y = shifts(seed)
    nodes = Plane(JET).moved(batch, x, y)
    for before, after, d_eta, d_phi in zip(batch.nodes.tolist(), nodes.tolist(), x.tolist(), y.tolist(), strict=True):
        old, new = (dict(zip(JET.nodes, row, strict=True)) for row in (before, after))
        assert new["pt"] == old["pt"] and new["charge"] == old["charge"]
        assert math.isclose(new["eta"], old["eta"] + d_eta, abs_tol=1e-6)
        assert abs(wrapped(new["phi"] - old["phi"] - d_phi)) < 1e-6 and abs(new["phi"]) <= math.pi + 1e-6
        mass = vector.obj(pt=old["pt"], eta=old["eta"], phi=old["phi"], energy=old["energy"]).mass
        expected = vector.obj(pt=new["pt"], eta=new["eta"], phi=new["phi"], mass=max(mass, 0.0)).energy
        assert math.isclose(new["energy"], expected, rel_tol=1e-6)


def test_where_nothing_moves_no_bit_changes() -> None:
    nodes = BATCH.nodes.clone()
    nodes[0, JET.column("phi")] = torch.pi  # in float32 this is beyond pi
    nodes[1, JET.column("energy")] = 0.5 * nodes[1, JET.column("pt")]  # less energy than momentum
    batch = BATCH.replace(nodes=nodes)
    still = torch.zeros(BATCH.total_node, dtype=torch.float64)
    assert torch.equal(Plane(JET).moved(batch, still, still), nodes)
    x, y = shifts(1)
    moves = batch.graph_index != 3
    moved = Plane(JET).moved(batch, x * moves, y * moves)
    assert torch.equal(moved[~moves], nodes[~moves]) and bool((moved[moves] != nodes[moves]).any(1).all())


def test_offsets_from_the_axis_follow_on_either_side() -> None:
    sides = (1.0, 1.0, 1.0, -1.0, -1.0, -1.0)  # JetClass counts eta outwards, from the beam's middle
    batch = with_offsets(BATCH, sides)
    x, y = shifts(2)
    moved = Plane(JET).moved(batch, x, y)
    expected = x * torch.tensor(sides).double()[batch.graph_index]
    deta, dphi = ((moved - batch.nodes)[:, JET.column(name)].double() for name in ("deta", "dphi"))
    assert float((deta - expected).abs().max()) < 1e-6
    assert float((torch.remainder(dphi - y + 1.0, 2.0 * math.pi) - 1.0).abs().max()) < 1e-6


def test_directions_among_labels_are_pairs() -> None:
    labels = {name: torch.zeros(1) for name in ("top_eta", "top_phi", "W_eta", "b_phi", "label")}
    assert truth_directions(labels) == [("top_eta", "top_phi")]
