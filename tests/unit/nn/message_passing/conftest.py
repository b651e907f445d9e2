"""The comparison of a form of the steps with plain PyTorch, on the same weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest
import torch

from root_gnn.graph.features import Features
from root_gnn.nn.message_passing.native import GraphNetworkStep, State, Topology, run_steps_native
from root_gnn.testing import random_batch

RunSteps = Callable[[Sequence[GraphNetworkStep], State, Topology], Iterable[State]]


@pytest.fixture(params=[(4, 1, 0, 6), (1, 1)], ids=str)
def sizes(request: pytest.FixtureRequest) -> tuple[int, ...]:
    """The numbers of nodes of a batch's graphs."""
    numbers: tuple[int, ...] = request.param
    return numbers


@pytest.fixture(params=[("mean", "max"), ("sum",)], ids=str)
def check_steps(request: pytest.FixtureRequest, sizes: tuple[int, ...]) -> Callable[[RunSteps], None]:
    """Asserts that a form of two steps gives the edges, nodes and globals of the native form."""

    def check(run_steps: RunSteps) -> None:
        torch.manual_seed(1)
        step = GraphNetworkStep(
            16,
            n_layer=2,
            activation="gelu",
            dropout=0.0,
            activate_last=False,
            aggregation=request.param,
            pooling=request.param,
            residual=True,
        )
        batch = random_batch(Features(), sizes, seed=2)
        topology = Topology.of(batch)
        state = State(torch.randn(batch.n_edge, 16), torch.randn(batch.total_node, 16), torch.randn(batch.n_graph, 16))
        expected = list(run_steps_native([step, step], state, topology))
        got = list(run_steps([step, step], state, topology))
        assert len(got) == 2
        for mine, reference in zip(got, expected, strict=True):
            for name in ("edges", "nodes", "globals"):
                torch.testing.assert_close(getattr(mine, name), getattr(reference, name), rtol=1e-4, atol=1e-5)

    return check
