"""Padding to one shape: batches have it, and answers and gradients of what was there do not change."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.static import Shape, padded
from root_gnn.models.deep_sets import Config as DeepSets
from root_gnn.models.encode_process_decode import Config as GraphNetwork
from root_gnn.testing import random_batch

FEATURES = Features()
SIZES = (4, 1, 0, 5, 2, 0, 7)
EVERYTHING = ("sum", "mean", "max")


def rows_and_gradient(encoder: nn.Module, batch: Batch, n_graph: int) -> tuple[Tensor, Tensor]:
    """Representations of the first graphs, and the gradient of a projection of them in all weights."""
    rows = encoder(batch).globals[:n_graph]
    slope = torch.cos(torch.arange(rows.numel(), dtype=rows.dtype)).view_as(rows)
    found = torch.autograd.grad((rows * slope).sum(), list(encoder.parameters()), allow_unused=True)
    return rows.detach(), torch.cat([part.flatten() for part in found if part is not None])


@pytest.mark.parametrize(
    "config",
    [
        GraphNetwork(dim=16, dropout=0.0, aggregation=EVERYTHING, pooling=EVERYTHING),
        GraphNetwork(dim=16, dropout=0.0, n_steps=1, form="native", recompute=True),
        DeepSets(dim=16, dropout=0.0),
    ],
    ids=["every aggregation", "recomputing", "deep sets"],
)
@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("room", [Shape(8, 21, 76), Shape(12, 50, 200), Shape(9, 23, 999)])
def test_what_was_there_does_not_change(config: Any, double: bool, room: Shape) -> None:
    batch = random_batch(FEATURES, SIZES, seed=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        encoder = config.build(FEATURES, Scaling.fit([random_batch(FEATURES, (6,) * 30, seed=9)], FEATURES))
    if double:
        encoder, batch = encoder.double(), batch.replace(nodes=batch.nodes.double(), globals=batch.globals.double())
    filled = padded(batch, room)
    assert (filled.n_graph, filled.total_node, filled.n_edge) == (room.n_graph, room.n_node, room.n_edge)
    filled.check()
    rows, gradient = rows_and_gradient(encoder, batch, batch.n_graph)
    same_rows, same_gradient = rows_and_gradient(encoder, filled, batch.n_graph)
    allowed = 1e-12 if double else 1e-6
    assert float((rows - same_rows).norm()) <= allowed * float(rows.norm())
    assert float((gradient - same_gradient).norm()) <= allowed * float(gradient.norm())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=200), st.integers(1, 60), st.integers(0, 5))
def test_random_batches_fit_and_are_filled(sizes: list[int], batch_size: int, seed: int) -> None:
    n_node = torch.tensor(sizes)
    shape = Shape.of(n_node, batch_size)
    drawn = n_node[torch.randperm(len(n_node), generator=torch.Generator().manual_seed(seed))[:batch_size]]
    filled = padded(Batch.of(torch.rand(int(drawn.sum()), 7), drawn), shape).check()
    assert (filled.n_graph, filled.total_node, filled.n_edge) == (shape.n_graph, shape.n_node, shape.n_edge)


def test_room_is_near_what_a_batch_needs() -> None:
    n_node = torch.poisson(torch.full((20_000,), 9.0), generator=torch.Generator().manual_seed(1)).long()
    shape = Shape.of(n_node, 1024)
    assert shape.n_node < 1.1 * 9 * 1024 and shape.n_edge < 1.2 * 81 * 1024


def test_a_batch_without_room_gets_twice_the_shape() -> None:
    batch = random_batch(FEATURES, SIZES, seed=1)
    filled = padded(batch, Shape(8, 20, 70))  # the two nodes of the padding graph have no room
    assert (filled.n_graph, filled.total_node, filled.n_edge) == (16, 40, 140)
    with pytest.raises(ValueError, match="complete graphs"):
        padded(filled, Shape(32, 80, 280))
