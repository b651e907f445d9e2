"""Values of entries and graphs: expressions, weights, policies for missing numbers, items and units."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import vector

from root_gnn.data.reading.graphs import build_graphs
from root_gnn.data.reading.read import open_records, read
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError

WriteTree = Callable[..., Path]
SpecOf = Callable[..., Spec]
FIELDS = (("pt", pa.float32()), ("eta", pa.float16()))
JET = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_m"}


def test_expressions_see_records_in_gev_and_branches_as_they_stand(spec_of: SpecOf, write_tree: WriteTree) -> None:
    path = write_tree(
        {
            "pt_mev": ak.Array([[50e3, 30e3], [20e3]]),
            "e": ak.Array([[0.1, 0.2], [0.3]]),
            "p": ak.Array([[1.0, 2.0], [3.0]]),
        }
    )
    nodes = {"jet": {"type": 0, "unit": "MeV", "features": {"pt": "pt_mev", "eta": "e", "phi": "p"}}}
    spec = spec_of(
        nodes,
        truth={"ht": {"expression": "sum(jet_pt)"}, "raw": {"expression": "sum(pt_mev)"}},
        weight=[{"expression": "max(jet_pt) / 10"}],
        globals={"n_hard": {"expression": "count(jet_pt > 25)"}},
    )
    records = read(path, spec)
    assert records.truth.ht.tolist() == [80.0, 20.0] and records.truth.raw.tolist() == [80e3, 20e3]
    assert records.weight.tolist() == [5.0, 2.0]
    batch = build_graphs(records, spec)
    assert batch.globals.tolist() == [[2.0, 2.0], [1.0, 0.0]] and spec.features().globals == ("n_node", "n_hard")


def test_the_sum_of_weights_is_of_entries_however_many_graphs_they_have(spec_of: SpecOf, small: Path) -> None:
    nodes = {"jet": {"type": 0, "single": True, "features": JET}}
    for weight, total in (
        (["w", "sf"], 2.0 - 4.0 + 1.0),
        ([], 3.0),
        (["jet_m"], 17.0),
    ):  # the last one differs from jet to jet
        with open_records(small, spec_of(nodes, graph_per="jet_pt", weight=weight)) as opened:
            records = opened.read(0, 3)
            assert len(records) == 3 and records.entry.tolist() == [0, 0, 2]
            assert opened.findings.sum_of_weights == pytest.approx(total), weight


def test_policies_for_nan(spec_of: SpecOf, write_tree: WriteTree, small_columns: dict[str, Any]) -> None:
    path = write_tree(
        small_columns | {"jet_m": ak.Array([[5.0, np.nan], [], [8.0]]), "met": np.array([10.0, np.inf, 30.0])}
    )
    nodes = {
        "jet": {"type": 0, "features": JET},
        "met": {"type": 4, "single": True, "features": {"pt": "met", "phi": "met_phi"}},
    }
    with pytest.raises(InputError, match=r"branch jet_m has NaN or infinity .* in entry 0"):
        read(path, spec_of(nodes))
    assert read(path, spec_of(nodes, on_nan="drop")).entry.tolist() == [2]
    filled = read(path, spec_of(nodes, on_nan="fill", fill=1.5))
    assert filled.met.pt.tolist() == [10.0, 1.5, 30.0] and filled.entry.tolist() == [0, 1, 2]
    four: Any = vector.array({"pt": [30.0], "eta": [-1.0], "phi": [-3.0], "mass": [1.5]})
    assert filled.jet.energy[0, 1] == pytest.approx(four.energy[0], rel=1e-6)


def test_missing_values_items_and_units(spec_of: SpecOf, write_tree: WriteTree) -> None:
    path = write_tree(
        {
            "pt": ak.Array([[5.0, -999.0], [3.0]]),
            "eta": ak.Array([[0.1, 0.2], [0.3]]),
            "deg": ak.Array([[90.0, -90.0], [180.0]]),
            "weights": ak.Array([[2.0, 3.0], [4.0, 5.0]]),
            "one": ak.Array([[7.0], [8.0]]),
        }
    )
    features = {"pt": {"branch": "pt", "missing": [-999]}, "eta": "eta", "phi": {"branch": "deg", "unit": "deg"}}
    met = {"type": 4, "single": True, "features": {"pt": {"branch": "one", "item": 0}, "phi": "one"}}
    nodes: dict[str, Any] = {"jet": {"type": 0, "features": features}, "met": met}
    spec = spec_of(nodes, weight=[{"branch": "weights", "item": 1}])
    with pytest.raises(InputError, match=r"branch one has a phi outside"):
        read(path, spec)
    nodes["met"]["features"]["phi"] = {"branch": "one", "unit": "deg"}
    records = read(path, spec_of(nodes, weight=[{"branch": "weights", "item": 1}]))
    assert records.jet.pt.tolist() == [[5.0, 0.0], [3.0]] and records.weight.tolist() == [3.0, 5.0]
    assert records.met.pt.tolist() == [7.0, 8.0]
    assert ak.flatten(records.jet.phi).to_numpy() == pytest.approx(np.array([np.pi / 2, -np.pi / 2, np.pi]), rel=1e-6)
    with pytest.raises(InputError, match=r"a list too short for item 1, of length .* in entry 1"):
        read(path, spec_of(nodes, weight=[{"branch": "pt", "item": 1}]))


def test_a_condition_is_true_or_false(spec_of: SpecOf, small: Path) -> None:
    with pytest.raises(InputError, match=r"`met` is a number per graph; a condition was expected"):
        read(small, spec_of(select={"expression": "met"}))
    with pytest.raises(InputError, match=r"`met - 10` is a number per graph"):
        read(small, spec_of(label={"expressions": {"a": "met - 10", "b": "met == 10"}}))
    assert read(small, spec_of(select={"branch": "met"})).entry.tolist() == [0, 1, 2]  # a branch that is not 0


def test_several_graphs_of_an_event_share_its_split(spec_of: SpecOf, write_tree: WriteTree) -> None:
    columns = {"pt": ak.Array([[1.0], [2.0], [3.0]]), "a": ak.Array([[0.1], [0.2], [0.3]])}
    path = write_tree({**columns, "event": np.array([5, 5, 6]), "jet": np.array([0, 1, 0])})
    nodes = {"jet": {"type": 0, "features": {"pt": "pt", "eta": "a", "phi": "a"}}}
    spec = spec_of(nodes, id=["event"], object={"branch": "jet", "optional": True})
    assert spec.id_names == ("event", "object") and spec.n_split_id == 1
    assert read(path, spec).ids.tolist() == [[5, 0], [5, 1], [6, 0]]


@pytest.mark.parametrize("form", ["npz", "parquet", "hdf5"])
def test_half_precision_follows_the_policies_for_nan(tmp_path: Path, form: str) -> None:
    """Infinity in half precision, in a feature, a global and a weight, through every format that holds such numbers."""
    pt, eta = np.array([[5.0, 4.0], [3.0, 2.0]], dtype=np.float32), np.array([[0.5, np.inf], [0.1, 0.2]], np.float16)
    columns = {"pt": pt, "eta": eta, "w": np.array([1.0, 2.0], np.float16)}
    path = tmp_path / f"half.{form}"
    if form == "npz":
        np.savez(path, **columns)
    elif form == "hdf5":
        with h5py.File(path, "w") as file:
            file.update(columns)
    else:
        lists = {name: pa.array(list(map(list, columns[name])), type=pa.list_(kind)) for name, kind in FIELDS}
        pq.write_table(pa.table({**lists, "w": pa.array(columns["w"], type=pa.float16())}), path)
    jet = {"type": 0, "features": {"pt": "pt", "eta": "eta", "phi": "pt"}}
    raw = {"name": "half", "source": {"name": form}, "nodes": {"jet": jet}, "weight": "w", "globals": {"w": "w"}}
    with pytest.raises(InputError, match=r"branch eta has NaN or infinity \(inf\) in entry 0, 1 of the 4"):
        read(path, load_spec(raw))
    assert read(path, load_spec({**raw, "on_nan": "drop"})).entry.tolist() == [1]
    filled = read(path, load_spec({**raw, "on_nan": "fill", "fill": 0.25}))
    assert filled.jet.eta[0].tolist() == [0.5, 0.25] and filled.globals.w.tolist() == [1.0, 2.0]


def test_missing_is_compared_in_the_precision_of_the_file(spec_of: SpecOf, write_tree: WriteTree) -> None:
    tag = ak.values_astype(ak.Array([[0.5, -999.9], [-99.99]]), np.float32)
    path = write_tree({"pt": ak.Array([[5.0, 6.0], [3.0]]), "a": ak.Array([[0.1, 0.2], [0.3]]), "tag": tag})
    for origin in ({"branch": "tag"}, {"expression": "tag"}):
        features = {"pt": "pt", "eta": "a", "phi": "a", "btag": {**origin, "missing": [-999.9, -99.99]}}
        assert read(path, spec_of({"jet": {"type": 0, "features": features}})).jet.btag.tolist() == [[0.5, 0], [0]]


def test_ids_of_single_precision_are_refused_where_it_cannot_hold_them(
    spec_of: SpecOf, write_tree: WriteTree, small_columns: dict[str, Any]
) -> None:
    single = np.array([2**24 - 1, 2**24 + 1, 5], dtype=np.float32)
    path = write_tree({**small_columns, "single": single, "wide": np.array([2**63, 2**64 - 1, 2**63 + 1], np.uint64)})
    for value in ("single", {"expression": "2 * single"}):
        with pytest.raises(InputError, match=r"too large to be exact in single precision .* in entry [01]"):
            read(path, spec_of(id=[value]))
    for value in ("wide", {"expression": "wide + 0"}):
        ids = read(path, spec_of(id=[value])).ids[:, 0].to_numpy()
        assert ids.view(np.uint64).tolist() == [2**63, 2**64 - 1, 2**63 + 1]
