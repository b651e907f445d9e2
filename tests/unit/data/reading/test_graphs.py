"""Records to batches, against a loop over events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from root_gnn.data.reading.graphs import build_graphs, graph_arrays, ragged_rows
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError


def slow_nodes(records: ak.Array, spec: Any) -> list[list[list[float]]]:
    """The nodes of each event, one Python list at a time."""
    events = []
    for event in records:
        nodes = []
        for name, collection in spec.nodes.items():
            things = [event[name]] if collection.single else event[name]
            nodes += [
                [collection.type if feature == "type" else thing[feature] for feature in spec.node_features]
                for thing in things
            ]
        events.append(nodes)
    return events


def test_nodes_equal_the_loop(data_dir: Path) -> None:
    spec = load_spec("events")
    records = read(data_dir / "ttH.root", spec, stop=40)
    batch = build_graphs(records, spec).check()
    expected = slow_nodes(records, spec)
    assert batch.n_node.tolist() == [len(nodes) for nodes in expected]
    assert batch.nodes.dtype == torch.float32
    torch.testing.assert_close(
        batch.nodes, torch.tensor([node for nodes in expected for node in nodes]), rtol=0, atol=0
    )
    assert batch.globals[:, 0].tolist() == batch.n_node.tolist()
    assert batch.ids is not None
    assert batch.ids.tolist() == records.ids.tolist()
    assert batch.weights is not None
    assert batch.weights.tolist() == records.weight.tolist()
    assert batch.labels["higgs_pt"].tolist() == records.truth.higgs_pt.tolist()


def test_an_event_without_objects_is_a_graph_without_nodes(small_spec: dict[str, Any]) -> None:
    del small_spec["nodes"]["met"]
    spec = load_spec(small_spec)
    thing = dict.fromkeys(("pt", "eta", "phi", "energy", "btag", "charge"), 1.0)
    things = ak.Array([[thing], [], []])
    records = ak.Array({"jet": things[[0, 1, 0]], "muon": things[[1, 1, 0]]})
    batch = build_graphs(records, spec).check()
    assert batch.n_node.tolist() == [1, 0, 2]
    assert batch.nodes[:, -1].tolist() == [0, 0, 2]
    assert batch.ids is None
    assert batch.weights is None


def test_no_records_at_all(data_dir: Path) -> None:
    spec = load_spec("events")
    assert build_graphs(read(data_dir / "WH.root", spec, stop=0), spec).check().n_graph == 0


def test_missing_collections_and_features_are_named(data_dir: Path) -> None:
    spec = load_spec("events")
    records = read(data_dir / "WH.root", spec, stop=2)
    with pytest.raises(InputError, match="no collection photon"):
        build_graphs(records[["jet", "electron", "muon", "met"]], spec)
    records["jet"] = records.jet[["pt", "eta", "phi", "energy", "charge"]]
    with pytest.raises(InputError, match="records of jet have no btag"):
        graph_arrays(records, spec)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 4)), max_size=20))
def test_ragged_rows_equal_the_loop(segments: list[tuple[int, int]]) -> None:
    first, count = (np.array([pair[k] for pair in segments], dtype=np.int64) for k in (0, 1))
    assert ragged_rows(first, count).tolist() == [row for a, n in segments for row in range(a, a + n)]
