"""Small ROOT files made for one test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from root_gnn.data.cache.shard import Shard, ShardWriter
from root_gnn.data.reading.findings import Findings
from root_gnn.data.reading.graphs import GraphArrays
from root_gnn.data.spec.spec import Spec, load_spec

WriteTree = Callable[..., Path]


@pytest.fixture
def write_tree(tmp_path: Path) -> WriteTree:
    """`write_tree(columns, name=, tree=)` writes a TTree of NumPy and awkward columns, counters included."""

    def write(
        columns: Mapping[str, Any], *, name: str = "file.root", tree: str = "Events", rntuple: bool = False
    ) -> Path:
        path = tmp_path / name
        with uproot.recreate(path) as file:
            if rntuple:
                file.mkrntuple(tree, dict(columns))
            else:
                file.mktree(tree, {key: _type(value) for key, value in columns.items()})
                file[tree].extend(dict(columns))
        return path

    return write


def _type(value: Any) -> Any:
    array = ak.Array(value)
    return array.type.content if array.ndim > 1 else np.asarray(value).dtype


@pytest.fixture
def small_columns() -> dict[str, Any]:
    """Three events: two jets, none, one; one muon in the last."""
    return {
        "jet_pt": ak.Array([[50.0, 30.0], [], [70.0]]),
        "jet_eta": ak.Array([[0.5, -1.0], [], [2.0]]),
        "jet_phi": ak.Array([[3.0, -3.0], [], [0.1]]),
        "jet_m": ak.Array([[5.0, 4.0], [], [8.0]]),
        "mu_pt": ak.Array([[], [], [25.0]]),
        "mu_eta": ak.Array([[], [], [-0.3]]),
        "mu_phi": ak.Array([[], [], [1.0]]),
        "met": np.array([10.0, 20.0, 30.0]),
        "met_phi": np.array([0.0, 1.0, -2.0]),
        "run": np.array([1, 1, 1], dtype=np.uint32),
        "event": np.array([7, 8, 9], dtype=np.uint64),
        "w": np.array([1.0, -2.0, 0.5]),
        "sf": np.array([2.0, 2.0, 2.0]),
        "kind": np.array([11, 22, 11], dtype=np.int32),
        "higgs_pt": np.array([100.0, 0.0, 50.0], dtype=np.float32),
    }


@pytest.fixture
def small_spec() -> dict[str, Any]:
    """What `small_columns` mean."""
    return {
        "name": "small",
        "source": {"name": "root", "tree": "Events"},
        "nodes": {
            "jet": {"type": 0, "features": {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_m"}},
            "muon": {"type": 2, "features": {"pt": "mu_pt", "eta": "mu_eta", "phi": "mu_phi"}},
            "met": {"type": 4, "single": True, "features": {"pt": "met", "phi": "met_phi"}},
        },
        "id": ["run", "event"],
        "weight": ["w", "sf"],
        "truth": {"higgs_pt": "higgs_pt"},
    }


@pytest.fixture
def make_shard(tmp_path: Path) -> Callable[..., Shard]:
    """Writes a shard of a spec without a file: node k of it has pt k + 1; columns as in `GraphArrays`."""

    def make(
        spec: Spec,
        name: str,
        n_node: Sequence[int],
        ids: Any,
        *,
        metadata: Any = None,
        read: float | None = None,
        **columns: Any,
    ) -> Shard:
        nodes = np.zeros((sum(n_node), len(spec.node_features)), dtype=np.float32)
        nodes[:, 0] = np.arange(1, len(nodes) + 1)
        weight = np.asarray(columns.pop("weight", np.ones(len(n_node))), dtype=np.float64)
        graphs = GraphArrays(
            nodes=nodes, n_node=np.asarray(n_node), ids=np.asarray(ids, dtype=np.int64), weight=weight, **columns
        )
        folder = tmp_path / "shards" / name
        folder.mkdir(parents=True)
        with ShardWriter(folder, spec) as writer:
            writer.append(graphs)
            total = float(weight.sum()) if read is None else read
            findings = Findings(n_entry=len(n_node), n_graph=len(n_node), sum_of_weights=total)
            meta = writer.finish(
                source={"name": f"{name}.root"}, versions={}, metadata=metadata or {}, findings=findings
            )
        return Shard(folder, meta)

    return make


@pytest.fixture
def small(write_tree: WriteTree, small_columns: dict[str, Any]) -> Path:
    """The file of `small_columns`."""
    return write_tree(small_columns)


@pytest.fixture
def spec_of() -> Callable[..., Spec]:
    """`spec_of(nodes, tree=, **keys)` is a spec, by default of the jets of `small_columns`."""
    features = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_m"}

    def make(nodes: dict[str, Any] | None = None, *, tree: Any = "Events", **keys: Any) -> Spec:
        nodes = nodes or {"jet": {"type": 0, "features": features}}
        return load_spec({"name": "x", "source": {"name": "root", "tree": tree}, "nodes": nodes, **keys})

    return make
