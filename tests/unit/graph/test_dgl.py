"""To DGL and back, against batches that DGL makes from one graph at a time."""

from __future__ import annotations

import sys

import pytest
import torch

from root_gnn.errors import InputError, MissingExtraError
from root_gnn.graph.batch import Batch
from root_gnn.graph.dgl import from_dgl, to_dgl
from root_gnn.graph.features import Features
from root_gnn.testing import QUESTION, random_batch

SIZES = (3, 1, 0, 5)


def complete() -> Batch:
    return random_batch(Features(), SIZES, seed=1, question=QUESTION)


def stored(*, edges: bool = True) -> Batch:
    batch = complete()
    senders, receivers = batch.edge_index()
    keep = torch.arange(batch.n_edge) % 3 > 0
    features = torch.arange(int(keep.sum()) * 2.0).view(-1, 2) if edges else None
    return batch.replace(
        senders=senders[keep], receivers=receivers[keep], edges=features, n_edge=int(keep.sum())
    ).check()


def assert_equal(got: Batch, expected: Batch) -> None:
    for name in ("nodes", "globals", "n_node", "graph_index", "senders", "receivers", "edges", "weights", "ids"):
        a, b = getattr(got, name), getattr(expected, name)
        assert (a is None) == (b is None), name
        assert a is None or (a.dtype == b.dtype and torch.equal(a, b)), name
    assert got.n_edge == expected.n_edge
    assert list(got.labels) == list(expected.labels)
    assert all(torch.equal(got.labels[name], expected.labels[name]) for name in expected.labels)


BATCHES = {
    "complete": complete(),
    "stored": stored(),
    "stored without features": stored(edges=False),
    "bare": complete().replace(weights=None, ids=None, labels={}),
    "no nodes": Batch.of(torch.zeros(0, 7), torch.zeros(3, dtype=torch.int64)),
    "double": complete().replace(nodes=complete().nodes.double(), globals=complete().globals.double()),
}


@pytest.mark.dgl
@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_round_trip_is_exact(batch: Batch) -> None:
    assert_equal(from_dgl(to_dgl(batch)).check(), batch)


@pytest.mark.dgl
def test_graphs_come_apart_as_dgl_expects() -> None:
    import dgl

    batch = complete()
    whole = to_dgl(batch)
    assert whole.batch_num_nodes().tolist() == [3, 1, 0, 5]
    assert whole.batch_num_edges().tolist() == [6, 0, 0, 20]
    parts = dgl.unbatch(whole)
    for graph, part in enumerate(parts):
        alone = to_dgl(batch.select(torch.tensor([graph])))
        assert torch.equal(part.ndata["x"], alone.ndata["x"])
        assert torch.equal(part.edata["e"], alone.edata["e"])
        assert torch.equal(torch.stack(part.edges(order="eid")), torch.stack(alone.edges(order="eid")))
    again = from_dgl(dgl.batch(parts)).check()
    assert torch.equal(again.nodes, batch.nodes) and again.n_edge == batch.n_edge
    assert not again.is_complete and again.labels == {}


@pytest.mark.dgl
def test_graph_data_holds_what_dgl_has_no_room_for() -> None:
    batch = complete()
    graph = to_dgl(batch)
    assert torch.equal(graph.graph_data["u"], batch.globals)
    assert torch.equal(graph.graph_data["y"], batch.labels["label"])
    assert torch.equal(graph.graph_data["y_higgs_pt"], batch.labels["higgs_pt"])
    assert bool(graph.graph_data["complete"].all())
    assert_equal(from_dgl(graph.clone()), batch)


@pytest.mark.dgl
def test_edge_features_are_sender_minus_receiver() -> None:
    batch = complete()
    graph = to_dgl(batch)
    senders, receivers = (end.tolist() for end in graph.edges(order="eid"))
    for k in (0, 5, 17):
        x, y = batch.nodes[senders[k]], batch.nodes[receivers[k]]
        deta, dphi = float(x[1] - y[1]), (float(x[2] - y[2]) + torch.pi) % (2 * torch.pi) - torch.pi
        assert graph.edata["e"][k].tolist() == pytest.approx([deta, dphi, (deta**2 + dphi**2) ** 0.5], rel=1e-5)


@pytest.mark.dgl
def test_edges_that_were_changed_are_kept() -> None:
    graph = to_dgl(complete())
    graph.remove_edges([2, 3])
    back = from_dgl(graph).check()
    assert not back.is_complete and back.n_edge == 24


@pytest.mark.dgl
def test_graphs_of_others_are_read() -> None:
    import dgl

    graph = dgl.graph((torch.tensor([0, 2], dtype=torch.int32), torch.tensor([1, 0], dtype=torch.int32)), num_nodes=3)
    graph.ndata["x"] = torch.randn(3, 4)
    batch = from_dgl(graph).check()
    assert batch.n_node.tolist() == [3] and batch.globals.tolist() == [[3.0]]
    assert batch.edge_index()[0].tolist() == [2, 0] and batch.edge_index()[1].tolist() == [0, 1]


@pytest.mark.dgl
def test_columns_must_fit() -> None:
    with pytest.raises(InputError, match="the batch has 3 columns"):
        to_dgl(complete().replace(nodes=complete().nodes[:, :3]))


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dgl", None)
    with pytest.raises(MissingExtraError, match=r"root_gnn\[dgl\]"):
        to_dgl(complete())
