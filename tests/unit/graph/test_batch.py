"""The ragged batch: what it refuses, and that graphs stay whole through every change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.graph.batch import Batch, concatenate
from root_gnn.graph.features import Features
from root_gnn.testing import QUESTION, random_batch

SIZES = (3, 1, 0, 4)


def complete() -> Batch:
    return random_batch(Features(), SIZES, seed=1, question=QUESTION)


def stored() -> Batch:
    batch = complete()
    senders, receivers = batch.edge_index()
    keep = torch.arange(batch.n_edge) % 3 > 0
    return Batch.of(
        batch.nodes,
        batch.n_node,
        globals=batch.globals,
        senders=senders[keep],
        receivers=receivers[keep],
        edges=torch.arange(int(keep.sum()) * 2.0).view(-1, 2),
        labels=batch.labels,
        weights=batch.weights,
        ids=batch.ids,
    )


def changed(tensor: torch.Tensor, place: Any, value: float) -> torch.Tensor:
    copy = tensor.clone()
    copy[place] = value
    return copy


COMPLETE_FAULTS: dict[str, tuple[Callable[[Batch], Batch], str]] = {
    "flat nodes": (lambda b: b.replace(nodes=b.nodes.flatten()), r"nodes must be \(total_node, node_dim\)"),
    "globals of fewer graphs": (lambda b: b.replace(globals=b.globals[:2]), "globals must be"),
    "flat globals": (lambda b: b.replace(globals=b.globals[:, 0]), "globals must be"),
    "float counts": (lambda b: b.replace(n_node=b.n_node.float()), "n_node must be int64"),
    "negative count": (lambda b: b.replace(n_node=torch.tensor([3, 2, -1, 4])), "negative count"),
    "a node too many": (lambda b: b.replace(n_node=b.n_node + 1), "n_node adds up to 12, but there are 8 nodes"),
    "NaN": (lambda b: b.replace(nodes=changed(b.nodes, (2, 3), float("nan"))), "nodes has NaN"),
    "infinite global": (
        lambda b: b.replace(globals=changed(b.globals, 0, float("inf"))),
        "globals has NaN or infinity",
    ),
    "senders alone": (lambda b: b.replace(senders=torch.tensor([0])), "given together"),
    "edges alone": (lambda b: b.replace(edges=torch.zeros(18, 1)), "edges without senders"),
    "wrong graph_index": (lambda b: b.replace(graph_index=b.graph_index.flip(0)), "graph_index does not follow"),
    "wrong n_edge": (lambda b: b.replace(n_edge=7), "n_edge is 7, but complete graphs of these sizes have 18 edges"),
    "labels of fewer graphs": (lambda b: b.replace(labels={"label": torch.zeros(3)}), "label has 3 rows for 4 graphs"),
    "weights of fewer graphs": (lambda b: b.replace(weights=torch.zeros(5)), "weights has 5 rows"),
    "ids of fewer graphs": (lambda b: b.replace(ids=torch.zeros(1, 2)), "ids has 1 rows"),
}
STORED_FAULTS: dict[str, tuple[Callable[[Batch], Batch], str]] = {
    "no such node": (lambda b: b.replace(senders=changed(b.senders, 0, 8)), "node that does not exist"),
    "negative node": (lambda b: b.replace(senders=changed(b.senders, 0, -1)), "node that does not exist"),
    "edge between graphs": (lambda b: b.replace(senders=changed(b.senders, 0, 7)), "joins two graphs"),
    "receivers out of order": (
        lambda b: b.replace(senders=b.senders.flip(0), receivers=b.receivers.flip(0)),
        "receivers must ascend",
    ),
    "edge features of fewer edges": (lambda b: b.replace(edges=b.edges[1:]), "edges has"),
    "n_edge": (lambda b: b.replace(n_edge=b.n_edge + 1), "n_edge is"),
    "a receiver too few": (lambda b: b.replace(receivers=b.receivers[1:]), "receivers"),
}


@pytest.mark.parametrize(("fault", "message"), COMPLETE_FAULTS.values(), ids=COMPLETE_FAULTS)
def test_check_finds_a_fault(fault: Callable[[Batch], Batch], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fault(complete().check()).check()


@pytest.mark.parametrize(("fault", "message"), STORED_FAULTS.values(), ids=STORED_FAULTS)
def test_check_finds_a_fault_in_stored_edges(fault: Callable[[Batch], Batch], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fault(stored().check()).check()


def test_check_names_everything_that_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"NaN.*edges without"):
        complete().replace(nodes=torch.full((8, 7), float("nan")), edges=torch.zeros(18, 1)).check()


def test_of_counts_nodes_and_edges() -> None:
    batch = Batch.of(torch.zeros(8, 7), torch.tensor(SIZES)).check()
    assert batch.globals.tolist() == [[3.0], [1.0], [0.0], [4.0]]
    assert batch.graph_index.tolist() == [0, 0, 0, 1, 3, 3, 3, 3]
    assert (batch.n_graph, batch.total_node, batch.n_edge, batch.is_complete) == (4, 8, 6 + 0 + 0 + 12, True)
    assert "n_graph=4" in repr(batch) and "complete" in repr(batch)


@pytest.mark.parametrize("sizes", [(), (0,), (0, 0), (1,)])
def test_batches_of_nothing_are_fine(sizes: tuple[int, ...]) -> None:
    batch = Batch.of(torch.zeros(sum(sizes), 7), torch.tensor(sizes, dtype=torch.int64)).check()
    assert batch.n_edge == 0
    assert batch.edge_index()[0].shape == (0,)


def graphs(batch: Batch) -> list[tuple[Any, ...]]:
    """Each graph and all that belongs to it, as plain numbers."""
    assert batch.weights is not None and batch.ids is not None
    nodes = torch.split(batch.nodes, batch.n_node.tolist())
    labels = [tuple(float(value[g]) for value in batch.labels.values()) for g in range(batch.n_graph)]
    return [
        (nodes[g].tolist(), batch.globals[g].tolist(), labels[g], float(batch.weights[g]), batch.ids[g].tolist())
        for g in range(batch.n_graph)
    ]


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 6), min_size=1, max_size=8), data=st.data())
def test_select_picks_whole_graphs_in_order(sizes: list[int], data: st.DataObject) -> None:
    batch = random_batch(Features(), sizes, seed=len(sizes), question=QUESTION)
    picked = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=10))
    selected = batch.select(torch.tensor(picked, dtype=torch.int64)).check()
    whole = graphs(batch)
    assert graphs(selected) == [whole[g] for g in picked]


def test_select_refuses_stored_edges() -> None:
    with pytest.raises(ValueError, match="complete graphs"):
        stored().select(torch.tensor([0]))


def test_concatenate_undoes_select() -> None:
    batch = complete()
    parts = [batch.select(torch.tensor([g])) for g in range(batch.n_graph)]
    assert graphs(concatenate(parts).check()) == graphs(batch)
    bare = [part.replace(weights=None, ids=None, labels={}) for part in parts]
    joined = concatenate(bare).check()
    assert joined.weights is None and joined.ids is None and joined.labels == {}


def test_moves_map_every_tensor() -> None:
    batch = stored().replace(nodes=stored().nodes.requires_grad_())
    moved = batch.to("meta")
    tensors = (
        moved.nodes,
        moved.globals,
        moved.n_node,
        moved.graph_index,
        moved.senders,
        moved.receivers,
        moved.edges,
        moved.weights,
        moved.ids,
        *moved.labels.values(),
    )
    assert all(tensor is not None and tensor.device.type == "meta" for tensor in tensors)
    assert not batch.detach().nodes.requires_grad
    assert batch.nodes.requires_grad


def test_frozen() -> None:
    with pytest.raises(AttributeError):
        complete().n_edge = 3  # type: ignore[misc]
