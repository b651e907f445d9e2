"""The steps of PyTorch Geometric against those of plain PyTorch, on the same weights."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("torch_geometric")

from root_gnn.graph.features import Features
from root_gnn.nn.message_passing.native import GraphNetworkStep, State, Topology, run_steps_native
from root_gnn.nn.message_passing.pyg import run_steps_pyg
from root_gnn.testing import random_batch


@pytest.mark.parametrize("aggregation", [("mean", "max"), ("sum",)])
@pytest.mark.parametrize("sizes", [(4, 1, 0, 6), (1, 1)])
def test_steps_are_those_of_plain_pytorch(aggregation: tuple[str, ...], sizes: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    step = GraphNetworkStep(
        16,
        n_layer=2,
        activation="gelu",
        dropout=0.0,
        activate_last=False,
        aggregation=aggregation,
        pooling=aggregation,
        residual=True,
    )
    batch = random_batch(Features(), sizes, seed=2)
    topology = Topology.of(batch)
    state = State(torch.randn(batch.n_edge, 16), torch.randn(batch.total_node, 16), torch.randn(batch.n_graph, 16))
    expected = list(run_steps_native([step, step], state, topology))
    got = list(run_steps_pyg([step, step], state, topology))
    assert len(got) == 2
    for mine, reference in zip(got, expected, strict=True):
        for name in ("edges", "nodes", "globals"):
            torch.testing.assert_close(getattr(mine, name), getattr(reference, name), rtol=1e-4, atol=1e-5)
