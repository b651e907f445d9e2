"""To PyTorch Geometric and back, against batches that PyTorch Geometric makes from one graph at a time."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch

from root_gnn.errors import InputError, MissingExtraError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.pyg import from_pyg, to_pyg
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
    "empty": Batch.of(torch.zeros(0, 7), torch.zeros(0, dtype=torch.int64)),
    "no nodes": Batch.of(torch.zeros(0, 7), torch.zeros(3, dtype=torch.int64)),
    "double": complete().replace(nodes=complete().nodes.double(), globals=complete().globals.double()),
}


@pytest.mark.pyg
@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_round_trip_is_exact(batch: Batch) -> None:
    assert_equal(from_pyg(to_pyg(batch)).check(), batch)


@pytest.mark.pyg
@pytest.mark.parametrize("batch", [complete(), stored()], ids=["complete", "stored"])
def test_round_trip_through_single_graphs_is_exact(batch: Batch) -> None:
    from torch_geometric.data import Batch as PygBatch

    assert_equal(from_pyg(PygBatch.from_data_list(to_pyg(batch).to_data_list())).check(), batch)
    assert_equal(from_pyg(to_pyg(complete())[3]).check(), complete().select(torch.tensor([3])))


@pytest.mark.pyg
def test_batch_is_the_one_pyg_makes() -> None:
    """Built here from single graphs by hand; names, values and bookkeeping are the same."""
    from torch_geometric.data import Batch as PygBatch
    from torch_geometric.data import Data

    batch = complete()
    assert batch.weights is not None and batch.ids is not None
    single, start = [], 0
    for graph, count in enumerate(SIZES):
        x = batch.nodes[start : start + count]
        pairs = [(j, i) for i in range(count) for j in range(count) if i != j]
        attributes = [[float(x[j, 1] - x[i, 1]), wrapped(float(x[j, 2] - x[i, 2]))] for j, i in pairs]
        angles = torch.tensor(attributes).view(-1, 2)
        fields: dict[str, Any] = {"u": batch.globals[graph : graph + 1], "complete": torch.tensor([True])}
        fields |= {
            "y" if name == "label" else f"y_{name}": value[graph : graph + 1] for name, value in batch.labels.items()
        }
        fields |= {"weights": batch.weights[graph : graph + 1], "ids": batch.ids[graph : graph + 1]}
        single.append(
            Data(
                x=x,
                edge_index=torch.tensor(pairs, dtype=torch.int64).view(-1, 2).t(),
                edge_attr=torch.cat([angles, angles.norm(dim=1, keepdim=True)], 1),
                **fields,
            )
        )
        start += count
    expected, got = PygBatch.from_data_list(single), to_pyg(batch)
    assert set(got.keys()) == set(expected.keys())
    assert type(got) is type(expected)
    for name in expected.keys():  # noqa: SIM118 a PyG batch is not a mapping
        torch.testing.assert_close(got[name], expected[name], rtol=1e-6, atol=1e-6)
    assert (got.num_graphs, got.num_nodes, got.num_edges) == (4, 9, 26)
    for ours, theirs in zip(got.to_data_list(), single, strict=True):
        assert set(ours.keys()) == set(theirs.keys())
        for name in theirs.keys():  # noqa: SIM118
            torch.testing.assert_close(ours[name], theirs[name], rtol=1e-6, atol=1e-6)


def wrapped(angle: float) -> float:
    return (angle + torch.pi) % (2 * torch.pi) - torch.pi


@pytest.mark.pyg
def test_edges_that_were_changed_are_kept() -> None:
    data = to_pyg(complete())
    shuffled = torch.randperm(26, generator=torch.Generator().manual_seed(1))
    data.edge_index, data.edge_attr = data.edge_index[:, shuffled], data.edge_attr[shuffled]
    assert from_pyg(data).is_complete
    data.edge_index, data.edge_attr = data.edge_index[:, :20], data.edge_attr[:20]
    back = from_pyg(data).check()
    assert not back.is_complete and back.n_edge == 20
    pairs = {tuple(pair): row for pair, row in zip(data.edge_index.t().tolist(), data.edge_attr.tolist(), strict=True)}
    assert back.senders is not None and back.receivers is not None and back.edges is not None
    assert {
        (s, r): e for s, r, e in zip(back.senders.tolist(), back.receivers.tolist(), back.edges.tolist(), strict=True)
    } == pairs


@pytest.mark.pyg
def test_graphs_of_others_are_read() -> None:
    from torch_geometric.data import Data

    batch = from_pyg(Data(x=torch.randn(3, 4), edge_index=torch.tensor([[0, 2, 1], [1, 0, 0]]))).check()
    assert batch.n_node.tolist() == [3] and batch.globals.tolist() == [[3.0]]
    assert [end.tolist() for end in batch.edge_index()] == [[1, 2, 0], [0, 0, 1]]
    assert from_pyg(Data(x=torch.randn(2, 4))).check().n_edge == 0


@pytest.mark.pyg
def test_columns_must_fit() -> None:
    batch = complete()
    with pytest.raises(InputError, match="the batch has 3 columns"):
        to_pyg(batch.replace(nodes=batch.nodes[:, :3]))
    data = to_pyg(batch.replace(nodes=batch.nodes[:, [2, 1, 0]]), features=Features(nodes=("phi", "eta", "pt")))
    torch.testing.assert_close(data.edge_attr, to_pyg(batch).edge_attr)


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_geometric", None)
    monkeypatch.setitem(sys.modules, "torch_geometric.data", None)
    with pytest.raises(MissingExtraError, match=r"root_gnn\[pyg\]"):
        to_pyg(complete())
