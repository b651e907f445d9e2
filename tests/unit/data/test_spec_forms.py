"""Every form in which a file may keep objects, labels and columns gives the records that a plain loop gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import vector

from root_gnn.data.reading.graphs import build_graphs, graph_arrays
from root_gnn.data.reading.read import open_records, read
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError

WriteTree = Callable[..., Path]
JET = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_m"}


def spec_of(nodes: dict[str, Any] | None = None, *, tree: Any = "Events", **keys: Any) -> Spec:
    """A spec of jets as `small_columns` has them, unless other nodes are given."""
    nodes = nodes or {"jet": {"type": 0, "features": JET}}
    return load_spec({"name": "x", "source": {"name": "root", "tree": tree}, "nodes": nodes, **keys})


@pytest.fixture
def small(write_tree: WriteTree, small_columns: dict[str, Any]) -> Path:
    return write_tree(small_columns)


def test_selections_of_graphs_and_objects(small: Path) -> None:
    jets = {"jet": {"type": 0, "features": JET, "select": "pt > 40 && abs(eta) < 2.5"}}
    records = read(small, spec_of(jets, select="count(jet_pt) >= 1 and met > 15"))
    assert records.entry.tolist() == [2]  # the first has met 10, the second no jet
    assert records.jet.pt.tolist() == [[70.0]]
    with open_records(small, spec_of(jets, select="count(jet_pt) >= 1")) as opened:
        opened.read(0, 3)
        assert opened.findings.dropped == {"select": 1} and opened.findings.n_graph == 2
        assert opened.findings.sum_of_weights == 3.0  # of all three entries


def test_expressions_see_records_in_gev_and_branches_as_they_stand(write_tree: WriteTree) -> None:
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


def test_slots_are_numbered_objects(write_tree: WriteTree) -> None:
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


def test_padded_lists_with_a_mask(write_tree: WriteTree) -> None:
    pt = ak.Array([[5.0, 4.0, np.nan], [3.0, -999.0, 0.0]])
    path = write_tree({"pt": pt, "a": ak.Array([[0.1] * 3] * 2), "m": ak.Array([[1, 1, 0], [1, 0, 0]])})
    records = read(path, spec_of({"jet": {"type": 0, "mask": "m", "features": {"pt": "pt", "eta": "a", "phi": "a"}}}))
    assert records.jet.pt.tolist() == [[5.0, 4.0], [3.0]]


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


def test_an_index_table_gives_each_jet_its_constituents(write_tree: WriteTree) -> None:
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
def test_an_index_out_of_its_collection_is_refused(write_tree: WriteTree, name: str, value: list[list[int]]) -> None:
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


def test_the_sum_of_weights_is_of_entries_however_many_graphs_they_have(small: Path) -> None:
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


def test_labels_in_four_forms(write_tree: WriteTree, small: Path) -> None:
    forms: dict[str, dict[str, Any]] = {
        "branch": {"branch": "kind", "classes": {"a": 11, "b": 22}},
        "one_hot": {"one_hot": {"a": {"expression": "kind == 11"}, "b": {"expression": "kind == 22"}}},
        "expressions": {"expressions": {"a": "count(jet_pt) > 0", "b": "count(jet_pt) == 0"}},
    }
    for name, form in forms.items():
        assert read(small, spec_of(label=form)).label.tolist() == [0, 1, 0], name
    gap = {"expressions": {"a": "met < 15", "b": "met > 25"}}
    with pytest.raises(
        InputError, match=r"no condition of the label holds \(met < 15, met > 25\) in entry 1, 1 of the 3 read"
    ):
        read(small, spec_of(label=gap))
    assert read(small, spec_of(label={**gap, "other": "drop"})).entry.tolist() == [0, 2]
    with pytest.raises(InputError, match=r"more than one condition of the label holds \(.*\) in entry 2"):
        read(small, spec_of(label={"expressions": {"a": "met < 35", "b": "met > 25"}}))
    assert (
        "label" not in read(small, spec_of(label={"branch": "nothing", "classes": {"a": 1}, "optional": True})).fields
    )
    with pytest.raises(InputError, match="no branch nothing"):
        read(small, spec_of(label={"branch": "nothing", "classes": {"a": 1}}))


def test_a_split_that_the_file_tells(small: Path) -> None:
    spec = spec_of(split={"branch": "kind", "train": 11, "validation": 22, "test": 33})
    assert read(small, spec).split.tolist() == [0, 1, 0]
    with pytest.raises(InputError, match=r"a value that is no split .* in entry 1"):
        read(small, spec_of(split={"branch": "kind", "train": 11}))


def test_policies_for_nan(write_tree: WriteTree, small_columns: dict[str, Any]) -> None:
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
    four = vector.array({"pt": [30.0], "eta": [-1.0], "phi": [-3.0], "mass": [1.5]})
    assert filled.jet.energy[0, 1] == pytest.approx(four.energy[0], rel=1e-6)


def test_missing_values_items_and_units(write_tree: WriteTree) -> None:
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


def test_systematic_variations(write_tree: WriteTree, small_columns: dict[str, Any]) -> None:
    jets = {
        name.replace("jet", "jet_NOSYS"): column for name, column in small_columns.items() if name.startswith("jet")
    }
    path = write_tree({**jets, "jet_UP_pt": small_columns["jet_pt"] * 1.1, "w_NOSYS": np.ones(3)})
    nodes = {"jet": {"type": 0, "features": {name: branch.replace("jet", "jet_%SYS%") for name, branch in JET.items()}}}
    spec = spec_of(nodes, systematics=["NOSYS", "UP", "DOWN"], weight=["w_%SYS%"])
    assert (
        read(path, spec).jet.pt.tolist()
        == small_columns["jet_pt"].tolist()
        == read(path, spec.variation("NOSYS")).jet.pt.tolist()
    )
    assert ak.flatten(read(path, spec.variation("UP")).jet.pt).to_numpy() == pytest.approx([55.0, 33.0, 77.0])
    with pytest.raises(InputError, match="no branch of this file has the variation"):
        read(path, spec.variation("DOWN"))
    with pytest.raises(InputError, match="no variation UPP; did you mean UP"):
        spec.variation("UPP")
    with pytest.raises(InputError, match="%SYS% in names and systematics"):
        spec_of(nodes)
    with pytest.raises(InputError, match="tree_%SYS%: %SYS% stands for a variation in names of branches only"):
        spec_of(nodes, tree="tree_%SYS%", systematics=["NOSYS"])


def test_a_variation_reaches_every_branch_name(write_tree: WriteTree, small_columns: dict[str, Any]) -> None:
    names = ("again", "number", "part", "kind_of")
    columns = {
        f"{name}_{variation}": np.array([0, 1, 2]) + 10 * (variation == "UP")
        for name in names
        for variation in ("NOM", "UP")
    }
    path = write_tree({**small_columns, **columns})
    spec = spec_of(
        systematics=["NOM", "UP"],
        resimulation="again_%SYS%",
        object="number_%SYS%",
        split={"branch": "part_%SYS%"},
        label={"branch": "kind_of_%SYS%", "classes": {"a": 0, "b": 1, "c": 2}},
    )
    records = read(path, spec)
    assert records.ids[:, -2:].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert records.split.tolist() == records.label.tolist() == [0, 1, 2]
    varied = spec.variation("UP")
    assert (str(varied.resimulation), str(varied.object)) == ("again_UP", "number_UP")
    assert varied.split is not None and varied.split.branch == "part_UP"
    assert varied.label is not None and varied.label.branch == "kind_of_UP"


def test_extending_a_spec(tmp_path: Path, small: Path) -> None:
    base = tmp_path / "base.yaml"
    nodes = "nodes: {jet: {type: 0, features: {pt: jet_pt, eta: jet_eta, phi: nope}}}"
    base.write_text(f"name: base\nsource: {{name: root, tree: Other}}\n{nodes}\n")
    child = tmp_path / "child.yaml"
    child.write_text("extends: base\nname: child\nsource: {tree: Events}\nnodes: {jet: {features: {phi: jet_phi}}}\n")
    spec = load_spec(child)
    assert spec.name == "child" and spec.nodes["jet"].features["phi"][0].branch == "jet_phi"
    assert read(small, spec).jet.pt.tolist() == [[50.0, 30.0], [], [70.0]]
    child.write_text(
        "extends: base\nname: child\nnodes: {jet: null, muon: {type: 2, features: {pt: p, eta: e, phi: f}}}\n"
    )
    assert set(load_spec(child).nodes) == {"muon"}
    child.write_text("extends: base\nname: child\nnodes: {jett: null}\n")
    with pytest.raises(InputError, match=r"nodes.jett: .*not nothing \(null\)"):
        load_spec(child)
    child.write_text("extends: base\nname: child\n")
    base.write_text("extends: child\nname: base\n")
    with pytest.raises(InputError, match="extends this file in its turn"):
        load_spec(child)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"select": "jet_pt >"}, "select"),
        ({"label": {"branch": "a"}}, "branch and classes"),
        ({"label": {"one_hot": {"a": "b"}, "branch": "c", "classes": {"x": 1}}}, "give one of"),
        ({"transforms": {"pt": "root"}}, "there is no transform root"),
        ({"transforms": {"d0": "tanh"}}, "d0 is not in node_features"),
        ({"weight": [{"branch": "a", "expression": "b"}]}, "branch .* or expression, one of the two"),
        ({"nodes": {"jet": {"type": 0, "features": {"pt": "pt_%SLOT%", "eta": "e", "phi": "p"}}}}, "needs slots"),
        (
            {"nodes": {"jet": {"type": 0, "slots": 2, "features": {"pt": "pt_%SLOT%", "eta": "e", "phi": "p"}}}},
            "e needs %SLOT%",
        ),
        ({"nodes": CANDIDATES}, "members need graph_per"),
        ({"on_nan": "ignore"}, "on_nan"),
        ({"label": {"branch": "a", "classes": {"x": 1, "y": 1}}}, "two classes have the same value"),
        ({"split": {"branch": "a", "validation": 2}}, "no two the same"),
        (
            {"nodes": {"jet": {"type": 0, "features": {**JET, "phi": {"branch": "p", "unit": "MeV"}}}}},
            "unit MeV is that of a momentum",
        ),
        (
            {"nodes": {"jet": {"type": 0, "features": {**JET, "pt": {"branch": "p", "unit": "deg"}}}}},
            "pt: the unit deg is that of an angle",
        ),
        (
            {"systematics": ["a", "b"], "globals": {"x": {"branch": "x_%SYS%", "otherwise": "y"}}},
            "falls back on its nominal form by itself",
        ),
    ],
)
def test_specs_that_make_no_sense(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        spec_of(**keys)


def test_a_selection_of_objects_sees_what_the_spec_names_and_the_file_lacks(small: Path) -> None:
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


def test_a_condition_is_true_or_false(small: Path) -> None:
    with pytest.raises(InputError, match=r"`met` is a number per graph; a condition was expected"):
        read(small, spec_of(select={"expression": "met"}))
    with pytest.raises(InputError, match=r"`met - 10` is a number per graph"):
        read(small, spec_of(label={"expressions": {"a": "met - 10", "b": "met == 10"}}))
    assert read(small, spec_of(select={"branch": "met"})).entry.tolist() == [0, 1, 2]  # a branch that is not 0


def test_an_unknown_name_in_an_expression_is_pointed_at(small: Path) -> None:
    with pytest.raises(InputError, match=r"select.*jet_ptt.*did you mean jet_pt") as caught:
        read(small, spec_of(select="met > 3 and count(jet_ptt > 30) > 1"))
    lines = str(caught.value).splitlines()
    text = next(place for place, line in enumerate(lines) if "met > 3 and" in line)
    assert lines[text + 1].index("^") == lines[text].index("jet_ptt")


def test_several_graphs_of_an_event_share_its_split(write_tree: WriteTree) -> None:
    columns = {"pt": ak.Array([[1.0], [2.0], [3.0]]), "a": ak.Array([[0.1], [0.2], [0.3]])}
    path = write_tree({**columns, "event": np.array([5, 5, 6]), "jet": np.array([0, 1, 0])})
    nodes = {"jet": {"type": 0, "features": {"pt": "pt", "eta": "a", "phi": "a"}}}
    spec = spec_of(nodes, id=["event"], object={"branch": "jet", "optional": True})
    assert spec.id_names == ("event", "object") and spec.n_split_id == 1
    assert read(path, spec).ids.tolist() == [[5, 0], [5, 1], [6, 0]]
    with pytest.raises(InputError, match="leave object out"):
        spec_of(CANDIDATES, **PER_JET, object="x")
