"""The topology of a batch, and the reductions of one step. (The whole step against a loop: tests/unit/models.)"""

from __future__ import annotations

import pytest
import torch

from root_gnn.graph.features import Features
from root_gnn.nn.message_passing.native import Aggregation, GraphNetworkStep, State, Topology, run_steps_native
from root_gnn.testing import random_batch

BATCH = random_batch(Features(), (3, 1, 0, 4), seed=1)


def step_of(aggregation: tuple[Aggregation, ...], pooling: tuple[Aggregation, ...]) -> GraphNetworkStep:
    return GraphNetworkStep(
        4,
        n_layer=1,
        activation="relu",
        dropout=0.0,
        activate_last=False,
        aggregation=aggregation,
        pooling=pooling,
        residual=True,
    )


def state_of(seed: int = 1) -> State:
    generator = torch.Generator().manual_seed(seed)
    return State(*(torch.randn(n, 4, generator=generator) for n in (BATCH.n_edge, BATCH.total_node, BATCH.n_graph)))


def test_topology_counts_edges_of_complete_graphs() -> None:
    topology = Topology.of(BATCH)
    assert topology.fan_in.tolist() == [2, 2, 2, 0, 3, 3, 3, 3]
    assert topology.n_edge.tolist() == [6, 0, 0, 12]


def test_topology_counts_stored_edges() -> None:
    senders, receivers = BATCH.edge_index()
    whole, stored = Topology.of(BATCH), Topology.of(BATCH.replace(senders=senders, receivers=receivers))
    assert torch.equal(whole.fan_in, stored.fan_in) and torch.equal(whole.n_edge, stored.n_edge)
    keep = senders > receivers
    some = Topology.of(BATCH.replace(senders=senders[keep], receivers=receivers[keep], n_edge=int(keep.sum())))
    assert some.fan_in.tolist() == [2, 1, 0, 0, 3, 2, 1, 0]
    assert some.n_edge.tolist() == [3, 0, 0, 6]


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        (("sum",), "sum"),
        (("max", "sum"), "sum"),
        (("mean", "max"), "mean"),
        (("max",), "mean"),
    ],
)
def test_edges_reach_the_global_by_sum_or_mean(pooling: tuple[Aggregation, ...], expected: str) -> None:
    assert step_of(("max",), pooling).edge_reduction == expected


def test_widths_follow_the_number_of_aggregations() -> None:
    step = step_of(("sum", "mean", "max"), ("mean",))
    assert (step.edge.widths, step.node.widths, step.globals.widths) == ((4, 4, 4, 4), (12, 4, 4), (4, 4, 4))


def test_steps_run_one_after_the_other() -> None:
    steps, topology = [step_of(("mean",), ("mean",)), step_of(("mean",), ("mean",))], Topology.of(BATCH)
    first, second = run_steps_native(steps, state_of(), topology)
    expected = steps[1](steps[0](state_of(), topology), topology)
    assert torch.equal(second.globals, expected.globals) and torch.equal(second.edges, expected.edges)
    assert not torch.equal(first.globals, second.globals)


def test_a_node_without_neighbours_receives_nothing() -> None:
    """Changing every edge changes the lone node and the empty graph not at all."""
    step, topology, state = step_of(("sum", "max"), ("max", "mean")).eval(), Topology.of(BATCH), state_of()
    first, second = step(state, topology), step(State(state_of(2).edges, state.nodes, state.globals), topology)
    assert torch.equal(first.nodes[3], second.nodes[3]) and torch.equal(first.globals[1:3], second.globals[1:3])
    assert not torch.equal(first.nodes[0], second.nodes[0])
