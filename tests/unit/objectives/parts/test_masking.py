"""The mask of a graph: how many nodes, which ones, and never all of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.kinematics.angles import delta_phi
from root_gnn.objectives.parts.masking import MaskedParts, Masking
from root_gnn.testing import random_batch

FEATURES = Features()
COLUMNS = (FEATURES.column("pt"), FEATURES.column("eta"), FEATURES.column("phi"))
STREAM = RandomStream(seed=1, epoch=0)


def masked(batch: Batch, **keys: Any) -> Tensor:
    return Masking(**keys).chosen(batch, STREAM, COLUMNS)


def counts(batch: Batch, mask: Tensor) -> list[int]:
    return torch.zeros_like(batch.n_node).index_add(0, batch.graph_index, mask.long()).tolist()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"ratio": 0.3}, [0, 0, 1, 1, 3]),
        ({"ratio": 0.9}, [0, 0, 1, 3, 9]),
        ({"ratio": 0.9, "at_most": 2}, [0, 0, 1, 2, 2]),
        ({"exactly": 3}, [0, 0, 1, 3, 3]),
        ({"exactly": 5, "hardest": 2}, [0, 0, 1, 2, 2]),
        ({"ratio": 0.5, "fewest": 5}, [0, 0, 0, 0, 5]),
    ],
)
def test_how_many_nodes_are_masked(keys: dict[str, Any], expected: list[int]) -> None:
    batch = random_batch(FEATURES, [0, 1, 2, 4, 10], seed=1)
    assert counts(batch, masked(batch, **keys)) == expected


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6), ratio=st.floats(0.01, 0.99))
def test_every_graph_keeps_a_node(sizes: list[int], ratio: float) -> None:
    batch = random_batch(FEATURES, sizes, seed=2)
    n_masked = counts(batch, masked(batch, ratio=ratio))
    assert all(masked < max(size, 1) for masked, size in zip(n_masked, sizes, strict=True))


def test_only_the_hardest_are_masked() -> None:
    batch = random_batch(FEATURES, [10] * 50, seed=3)
    mask = masked(batch, exactly=2, hardest=3).reshape(50, 10)
    rank = batch.nodes[:, COLUMNS[0]].reshape(50, 10).argsort(1, descending=True).argsort(1)
    assert int(rank[mask].max()) == 2


def test_a_ball_is_a_node_and_its_nearest() -> None:
    batch = random_batch(FEATURES, [8], seed=4)
    mask = masked(batch, exactly=3, region="ball")
    eta, phi = batch.nodes[:, COLUMNS[1]], batch.nodes[:, COLUMNS[2]]
    distance = (eta[:, None] - eta[None]) ** 2 + delta_phi(phi[:, None], phi[None]) ** 2
    balls = [set(row.argsort()[:3].tolist()) for row in distance]
    assert set(mask.nonzero()[:, 0].tolist()) in balls


def test_the_two_parts_are_the_batch() -> None:
    batch = random_batch(FEATURES, [4, 1, 3], seed=5)
    mask = masked(batch, ratio=0.5)
    parts = MaskedParts.of(batch, mask)
    assert torch.equal(parts.known.nodes, batch.nodes[~mask]) and torch.equal(parts.hidden.nodes, batch.nodes[mask])
    assert torch.equal(parts.known.n_node + parts.hidden.n_node, batch.n_node)
