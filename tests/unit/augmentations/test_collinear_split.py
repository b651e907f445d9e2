"""Splitting: the pieces add up, point the same way, and nothing is split twice."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.augmentations.collinear_split import Config
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import QUESTION, collimated, random_batch

FEATURES = Features()
BATCH = collimated(random_batch(FEATURES, (4, 1, 0, 6, 30) * 10, seed=1, question=QUESTION), FEATURES)
DRAWS = RandomStream(seed=1, epoch=2)


def split(batch: Batch, *, features: Features = FEATURES, draws: RandomStream = DRAWS, **options: Any) -> Batch:
    return Config(**options).build(features)(batch, draws).check()


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), fraction=st.floats(0.1, 1.0))
def test_a_loop_gives_the_same(seed: int, fraction: float) -> None:
    draws = RandomStream(seed=seed, epoch=1)
    out = split(BATCH, draws=draws, fraction=fraction)
    chance, share = (draws.uniform_nodes(BATCH, stream).tolist() for stream in (0, 1))
    expected, whole, counts = [], [], [0] * BATCH.n_graph
    for k, (row, graph) in enumerate(zip(BATCH.nodes.tolist(), BATCH.graph_index.tolist(), strict=True)):
        largest = max(share[k], 1.0 - share[k])
        pieces = [largest, 1.0 - largest] if chance[k] < fraction else [1.0]
        counts[graph] += len(pieces)
        whole += [row] * len(pieces)
        expected += [[row[0] * part, row[1], row[2], row[3] * part, *row[4:]] for part in pieces]
    assert out.n_node.tolist() == counts
    difference = out.nodes.double() - torch.tensor(expected, dtype=torch.float64)
    assert bool((difference.abs() <= 2e-7 * torch.tensor(whole).abs()).all())


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_pt_adds_up_bit_for_bit(seed: int) -> None:
    batch = BATCH.replace(nodes=BATCH.nodes.clone())
    batch.nodes[:, 0] = 10.0 ** (
        torch.rand(BATCH.total_node, generator=torch.Generator().manual_seed(seed)) * 8.0 - 4.0
    )
    out = split(batch, draws=RandomStream(seed=seed, epoch=1), fraction=1.0)
    assert torch.equal(out.n_node, 2 * batch.n_node)
    assert torch.equal(out.nodes[0::2, 0] + out.nodes[1::2, 0], batch.nodes[:, 0])
    pieces = out.nodes[:, 0].double()  # also in twice the precision: nothing was rounded away
    assert torch.equal(pieces[0::2] + pieces[1::2], batch.nodes[:, 0].double())
    assert bool((out.nodes[:, 0] > 0).all()) and bool((out.nodes[0::2, 0] >= out.nodes[1::2, 0]).all())


def test_four_momenta_of_jets_stay() -> None:
    totals = []
    for batch in (BATCH, split(BATCH)):
        pt, eta, phi, energy = batch.nodes[:, :4].double().unbind(1)
        rows = torch.stack([pt * phi.cos(), pt * phi.sin(), pt * eta.sinh(), energy], 1)
        totals.append(torch.zeros(batch.n_graph, 4).double().index_add(0, batch.graph_index, rows))
    assert torch.allclose(totals[0], totals[1], rtol=1e-6, atol=1e-4)


def test_the_share_is_uniform_and_the_pieces_keep_the_direction() -> None:
    batch = collimated(random_batch(FEATURES, (40,) * 100, seed=2), FEATURES)
    out = split(batch, fraction=1.0)
    share = (out.nodes[1::2, 0] / batch.nodes[:, 0]).double() * 2.0
    assert math.isclose(float(share.mean()), 0.5, abs_tol=0.02) and math.isclose(
        float(share.var()), 1 / 12, abs_tol=0.005
    )
    for piece in (out.nodes[0::2], out.nodes[1::2]):
        assert torch.equal(piece[:, [1, 2, 4, 5, 6]], batch.nodes[:, [1, 2, 4, 5, 6]])
        speed = piece[:, 3] / piece[:, 0]
        assert torch.allclose(speed, batch.nodes[:, 3] / batch.nodes[:, 0], rtol=1e-6)


@pytest.mark.parametrize("max_nodes", [1, 7, 40, 50])
def test_jets_are_filled_up_as_published(max_nodes: int) -> None:
    """With `fraction: 1.0` a jet of n gets min(n, room) more, and one that is too large stays as it is."""
    batch = collimated(random_batch(FEATURES, (4, 1, 0, 6, 30, 45, 50, 60), seed=3), FEATURES)
    out = split(batch, fraction=1.0, max_nodes=max_nodes)
    assert out.n_node.tolist() == [n + min(n, max(max_nodes - n, 0)) for n in batch.n_node.tolist()]
    large = batch.n_node >= max_nodes
    assert torch.equal(out.nodes[large[out.graph_index]], batch.nodes[large[batch.graph_index]])
    again = split(out, fraction=1.0, max_nodes=max_nodes, draws=RandomStream(seed=1, epoch=2, place=1))
    assert bool((again.n_node <= out.n_node.clamp(min=max_nodes)).all())


def test_those_split_are_any_of_the_jet() -> None:
    """Of 30 with room for 10 each is split as often as the others, wherever it stands."""
    batch = collimated(random_batch(FEATURES, (30,) * 600, seed=4), FEATURES)
    out = split(batch, fraction=1.0, max_nodes=40)
    whole = torch.isin(batch.nodes[:, 0], out.nodes[:, 0]).reshape(600, 30).double().mean(0)
    assert float((whole - 2.0 / 3.0).abs().max()) < 0.09


def test_what_has_no_pt_is_not_split_and_takes_no_room() -> None:
    nodes = BATCH.nodes.clone()
    nodes[::2, 0] = 0.0
    batch = BATCH.replace(nodes=nodes)
    out = split(batch, fraction=1.0)
    n_with = torch.zeros_like(batch.n_node).index_add(0, batch.graph_index, (nodes[:, 0] > 0).long())
    assert torch.equal(out.n_node, batch.n_node + n_with)
    assert int((out.nodes[:, 0] == 0).sum()) == int((nodes[:, 0] == 0).sum())
    filled = split(batch, fraction=1.0, max_nodes=33)
    assert torch.equal(filled.n_node, batch.n_node + torch.minimum(n_with, (33 - batch.n_node).clamp(min=0)))


def test_a_mass_is_shared_and_everything_else_copied() -> None:
    features = Features(nodes=("mass", "d0", "pt", "eta", "phi", "energy", "deta"), globals=("n_node", "jet_pt"))
    batch = collimated(random_batch(features, (5, 3), seed=5), features)
    out = split(batch, features=features, fraction=1.0)
    part = (out.nodes[:, 2] / batch.nodes[:, 2].repeat_interleave(2)).double()
    assert torch.allclose(out.nodes[:, 0].double(), batch.nodes[:, 0].double().repeat_interleave(2) * part, atol=1e-6)
    copied = [1, 3, 4, 6]
    assert torch.equal(out.nodes[:, copied], batch.nodes[:, copied].repeat_interleave(2, dim=0))
    assert torch.equal(out.globals[:, 1], batch.globals[:, 1]) and out.globals[:, 0].tolist() == [10.0, 6.0]


def test_stored_edges_are_refused() -> None:
    senders, receivers = BATCH.edge_index()
    with pytest.raises(ValueError, match="complete graphs"):
        Config().build(FEATURES)(BATCH.replace(senders=senders, receivers=receivers), DRAWS)
