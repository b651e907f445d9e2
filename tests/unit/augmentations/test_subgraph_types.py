"""Types of objects are left out together, and an event never loses all of them."""

from __future__ import annotations

import math

import pytest
import torch

from root_gnn.augmentations.subgraph_types import Config
from root_gnn.errors import InputError
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import random_batch

BATCH = random_batch(Features(), (4, 1, 0, 6, 11) * 60, seed=1)
DRAWS = RandomStream(seed=1, epoch=2)
TYPE = Features().column("type")


def test_a_loop_gives_the_same() -> None:
    out = Config(fraction=0.6).build(Features())(BATCH, DRAWS).check()
    draws = [DRAWS.uniform(BATCH, kind).tolist() for kind in range(5)]
    parts = zip(
        torch.split(BATCH.nodes, BATCH.n_node.tolist()), torch.split(out.nodes, out.n_node.tolist()), strict=True
    )
    for graph, (rows, kept) in enumerate(parts):
        kinds = {int(kind) for kind in rows[:, TYPE]}
        by_draw = sorted((draws[kind][graph], kind) for kind in kinds)
        stays = {kind for u, kind in by_draw if u >= 0.6} or {kind for _, kind in by_draw[-1:]}
        assert torch.equal(kept, rows[[k for k, row in enumerate(rows) if int(row[TYPE]) in stays]])


def test_the_chance_is_that_of_a_type() -> None:
    batch = random_batch(Features(), (40,) * 500, seed=2)  # has all five types
    out = Config(fraction=0.3).build(Features())(batch, DRAWS)
    has = torch.zeros(500, 5).index_put((out.graph_index, out.nodes[:, TYPE].long()), torch.tensor(1.0))
    assert float((has.mean(0) - 0.7).abs().max()) < 0.07


def test_only_some_types_may_go() -> None:
    out = Config(fraction=0.5, types=(1, 2)).build(Features())(BATCH, DRAWS)
    for kind in range(5):
        before, after = (int((batch.nodes[:, TYPE] == kind).sum()) for batch in (BATCH, out))
        assert after < before if kind in (1, 2) else after == before
    leptons = random_batch(Features(), (3,) * 20, seed=3)
    leptons.nodes[:, TYPE] = 1.0
    assert torch.equal(Config(types=(1, 2)).build(Features())(leptons, DRAWS).nodes, leptons.nodes)


def test_some_events_stay_whole() -> None:
    batch = random_batch(Features(), (40,) * 300, seed=4)
    out = Config(fraction=0.9, probability=0.4).build(Features())(batch, DRAWS)
    assert math.isclose(float((out.n_node == 40).double().mean()), 0.6, abs_tol=0.09)


def test_data_of_one_type_and_types_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match=r"1 type.*subgraph_random"):
        Config().build(Features(n_type=1))
    with pytest.raises(InputError, match=r"subgraph_random"):
        Config().build(Features(nodes=("pt", "eta", "phi", "energy")))
    with pytest.raises(InputError, match=r"has 7.*0 to 4"):
        Config(types=(1, 7)).build(Features())
