"""The objects of a collection: every layout of a file gives the objects that a plain loop gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from root_gnn.data.reading.graphs import graph_arrays
from root_gnn.data.reading.read import open_records, read
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError

WriteTree = Callable[..., Path]
SpecOf = Callable[..., Spec]
JET = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_m"}
PER_JET = {
    "graph_per": "fat_pt",
    "id": ["event"],
    "globals": {"jet_mass": "fat_mass", "met": "met"},
    "label": {"one_hot": {"top": "fat_top", "other": {"expression": "fat_top == 0"}}},
}
CANDIDATES = {
    "constituent": {
        "type": 0,
        "features": {"pt": "c_pt", "eta": "c_eta", "phi": "c_phi"},
        "members": {"row": "row", "item": "item"},
    },
}


def index_table() -> dict[str, Any]:
    """Two events: two fat jets with 2 and 1 of 4 candidates, and one with 2 of 2; one candidate is in both jets."""
    return {
        "fat_pt": ak.Array([[500.0, 300.0], [400.0]]),
        "fat_mass": ak.Array([[80.0, 90.0], [170.0]]),
        "fat_top": ak.Array([[0, 1], [1]]),
        "c_pt": ak.Array([[9.0, 8.0, 7.0, 6.0], [5.0, 4.0]]),
        "c_eta": ak.Array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6]]),
        "c_phi": ak.Array([[1.0, 2.0, 3.0, -1.0], [0.0, 0.5]]),
        "row": ak.Array([[0, 1, 0], [0, 0]]),
        "item": ak.Array([[2, 2, 0], [1, 0]]),
        "event": np.array([11, 12]),
        "met": np.array([1.0, 2.0]),
    }


def test_selections_of_graphs_and_objects(spec_of: SpecOf, small: Path) -> None:
    jets = {"jet": {"type": 0, "features": JET, "select": "pt > 40 && abs(eta) < 2.5"}}
    records = read(small, spec_of(jets, select="count(jet_pt) >= 1 and met > 15"))
    assert records.entry.tolist() == [2]  # the first has met 10, the second no jet
    assert records.jet.pt.tolist() == [[70.0]]
    with open_records(small, spec_of(jets, select="count(jet_pt) >= 1")) as opened:
        opened.read(0, 3)
        assert opened.findings.dropped == {"select": 1} and opened.findings.n_graph == 2
        assert opened.findings.sum_of_weights == 3.0  # of all three entries


def test_slots_are_numbered_objects(spec_of: SpecOf, write_tree: WriteTree) -> None:
    columns = {f"{name}_{j}": np.array([10.0 * j + i for i in range(3)]) for j in (1, 2) for name in ("pt", "E")}
    columns |= {f"{name}_{j}": np.array([0.1 * j, -0.1 * j, 0.0]) for j in (1, 2) for name in ("eta", "phi")}
    columns |= {"ok_1": np.array([1, 0, 1]), "ok_2": np.array([1, 1, 0])}
    path = write_tree({name: np.asarray(column, dtype=np.float64) for name, column in columns.items()})
    features = {"pt": "pt_%SLOT%", "eta": "eta_%SLOT%", "phi": "phi_%SLOT%", "energy": {"expression": "2 * E_%SLOT%"}}
    records = read(path, spec_of({"jet": {"type": 0, "slots": ["1", "2"], "mask": "ok_%SLOT%", "features": features}}))
    assert records.jet.pt.tolist() == [[10.0, 20.0], [21.0], [12.0]]
    assert records.jet.energy.tolist() == [[20.0, 40.0], [42.0], [24.0]]
    with pytest.raises(InputError, match="there is no branch pt_3"):
        read(path, spec_of({"jet": {"type": 0, "slots": ["1", "3"], "features": features}}))


def test_padded_lists_with_a_mask(spec_of: SpecOf, write_tree: WriteTree) -> None:
    pt = ak.Array([[5.0, 4.0, np.nan], [3.0, -999.0, 0.0]])
    path = write_tree({"pt": pt, "a": ak.Array([[0.1] * 3] * 2), "m": ak.Array([[1, 1, 0], [1, 0, 0]])})
    records = read(path, spec_of({"jet": {"type": 0, "mask": "m", "features": {"pt": "pt", "eta": "a", "phi": "a"}}}))
    assert records.jet.pt.tolist() == [[5.0, 4.0], [3.0]]


def test_an_index_table_gives_each_jet_its_constituents(spec_of: SpecOf, write_tree: WriteTree) -> None:
    columns = index_table()
    path = write_tree(columns)
    spec = spec_of(CANDIDATES, **PER_JET)
    records = read(path, spec)
    expected = []  # a plain loop over events, jets and the table
    for event in range(2):
        for jet in range(len(columns["fat_pt"][event])):
            table = zip(columns["row"][event], columns["item"][event], strict=True)
            expected.append([float(columns["c_pt"][event][item]) for row, item in table if row == jet])
    assert records.constituent.pt.tolist() == expected == [[7.0, 9.0], [7.0], [4.0, 5.0]]
    assert (
        records.ids.tolist() == [[11, 0], [11, 1], [12, 0]]
        and spec.id_names == ("event", "object")
        and spec.n_split_id == 1
    )
    assert records.entry.tolist() == [0, 0, 1] and records.label.tolist() == [1, 0, 0]
    assert records.globals.jet_mass.tolist() == [80.0, 90.0, 170.0] and records.globals.met.tolist() == [1.0, 1.0, 2.0]
    pieces = [graph_arrays(read(path, spec, start=k, stop=k + 1), spec).nodes for k in range(2)]
    assert np.array_equal(np.concatenate(pieces), graph_arrays(records, spec).nodes)
    hard = read(path, spec_of(CANDIDATES, select="fat_pt > 350 and count(constituent_pt) == 2", **PER_JET))
    assert hard.ids.tolist() == [[11, 0], [12, 0]]


@pytest.mark.parametrize(
    ("name", "value"), [("row", [[0, 2, 0], [0, 0]]), ("item", [[2, 2, 0], [1, 2]]), ("item", [[2, -1, 0], [1, 0]])]
)
def test_an_index_out_of_its_collection_is_refused(
    spec_of: SpecOf, write_tree: WriteTree, name: str, value: list[list[int]]
) -> None:
    path = write_tree(index_table() | {name: ak.Array(value)})
    with pytest.raises(
        InputError, match=f"branch {name} has an index of no (graph|object) .* in entry {int(value[0] == [2, 2, 0])}"
    ):
        read(path, spec_of(CANDIDATES, **PER_JET))


def test_lists_of_lists_are_constituents(tmp_path: Path) -> None:
    """Nested vectors through parquet, since uproot writes no nested lists."""
    columns = {
        "jet_pt": ak.Array([[100.0, 50.0], [], [70.0]]),
        "c_pt": ak.Array([[[60.0, 40.0], [50.0]], [], [[30.0, 20.0, 20.0]]]),
        "c_a": ak.Array([[[0.1, 0.2], [0.3]], [], [[0.0, 0.1, 0.2]]]),
    }
    path = tmp_path / "nested.parquet"
    ak.to_parquet(ak.zip(columns, depth_limit=1), path)
    nodes = {"constituent": {"type": 0, "features": {"pt": "c_pt", "eta": "c_a", "phi": "c_a"}}}
    raw = {"name": "x", "source": {"name": "parquet"}, "nodes": nodes, "graph_per": "jet_pt", "truth": {"pt": "jet_pt"}}
    records = read(path, load_spec(raw))
    assert records.constituent.pt.tolist() == [[60.0, 40.0], [50.0], [30.0, 20.0, 20.0]] and records.entry.tolist() == [
        0,
        0,
        2,
    ]
    assert records.truth.pt.tolist() == [100.0, 50.0, 70.0]
    with pytest.raises(InputError, match="a list of lists, or `members`"):
        read(
            path,
            load_spec(
                {**raw, "nodes": {"jet": {"type": 0, "features": {"pt": "jet_pt", "eta": "jet_pt", "phi": "jet_pt"}}}}
            ),
        )


def test_a_selection_of_objects_sees_what_the_spec_names_and_the_file_lacks(spec_of: SpecOf, small: Path) -> None:
    jet = {
        "type": 0,
        "features": {**JET, "btag": {"branch": "nothing", "optional": True}},
        "select": "pt > 40 and btag == 0",
    }
    muon = {
        "type": 2,
        "optional": True,
        "features": {"pt": "m", "eta": "m", "phi": "m", "charge": "m"},
        "select": "abs(charge) > 0",
    }
    records = read(small, spec_of({"jet": jet, "muon": muon}))
    assert records.jet.pt.tolist() == [[50.0], [], [70.0]] and ak.num(records.muon, axis=1).tolist() == [0, 0, 0]
    with pytest.raises(InputError, match=r"`jet_m` is no feature of the collection.* `mask: \{expression: ...\}`"):
        read(small, spec_of({"jet": {"type": 0, "features": JET, "select": "jet_m > 5"}}))
    heavy = {"type": 0, "features": JET, "select": "mass > 4.5"}  # what the momentum is made of, too
    assert read(small, spec_of({"jet": heavy})).jet.pt.tolist() == [[50.0], [], [70.0]]
    by_mask = {"type": 0, "features": JET, "mask": {"expression": "jet_m > 4.5 and jet_pt < 60"}}
    assert read(small, spec_of({"jet": by_mask})).jet.pt.tolist() == [[50.0], [], []]


def test_features_that_follow_one_another_in_one_array(tmp_path: Path) -> None:
    rows = np.array([[50.0, 0.5, 0.1, 40.0, -0.5, 0.2, 1.0], [30.0, 1.5, -0.1, 0.0, 0.0, 0.0, 0.0]])
    path = tmp_path / "events.npz"
    np.savez(path, block=rows)
    features = {"pt": "block.%SLOT%", "eta": "block.%SLOT%+1", "phi": "block.%SLOT%+2"}
    raw = {"name": "wide", "source": {"name": "npz"}, "label": {"branch": "block.6", "classes": {"a": 0, "b": 1}}}
    for slots in (["0", "3"], {"count": 2, "step": 3}):
        jet = {"type": 0, "slots": slots, "mask": "block.%SLOT%", "features": features}
        records = read(path, load_spec({**raw, "nodes": {"jet": jet}}))
        assert records.jet.pt.tolist() == [[50.0, 40.0], [30.0]] and records.label.tolist() == [1, 0]
        assert records.jet.eta.tolist() == [[0.5, -0.5], [1.5]]
        assert ak.flatten(records.jet.phi).tolist() == pytest.approx([0.1, 0.2, -0.1])
    with pytest.raises(InputError, match=r"there is no branch block\.[78]"):
        jet = {"type": 0, "slots": {"count": 2, "step": 3, "start": 3}, "features": features}
        read(path, load_spec({**raw, "nodes": {"jet": jet}}))
    with pytest.raises(InputError, match="slots"):
        load_spec({**raw, "nodes": {"jet": {"type": 0, "slots": {"n": 2}, "features": features}}})
