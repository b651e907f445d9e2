"""The branches that a spec reads: systematic variations, and names that a file lacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError

WriteTree = Callable[..., Path]
SpecOf = Callable[..., Spec]
JET = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_m"}


def test_systematic_variations(spec_of: SpecOf, write_tree: WriteTree, small_columns: dict[str, Any]) -> None:
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


def test_a_variation_reaches_every_branch_name(
    spec_of: SpecOf, write_tree: WriteTree, small_columns: dict[str, Any]
) -> None:
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


def test_an_unknown_name_in_an_expression_is_pointed_at(spec_of: SpecOf, small: Path) -> None:
    with pytest.raises(InputError, match=r"select.*jet_ptt.*did you mean jet_pt") as caught:
        read(small, spec_of(select="met > 3 and count(jet_ptt > 30) > 1"))
    lines = str(caught.value).splitlines()
    text = next(place for place, line in enumerate(lines) if "met > 3 and" in line)
    assert lines[text + 1].index("^") == lines[text].index("jet_ptt")


def test_a_branch_that_the_spec_does_not_list_is_read_where_an_expression_names_it(
    spec_of: SpecOf, write_tree: WriteTree
) -> None:
    three = ak.Array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    charge = ak.Array([[1, -1], [1, 1], [-1, -1]])
    columns = {"mu_pt": three, "mu_eta": three / 10, "mu_phi": three / 10, "mu_charge": charge, "mu_m": three}
    path = write_tree({**columns, "met_eta": np.array([0.5, 0.0, 0.0]), "met": np.ones(3)})
    features: dict[str, Any] = {"pt": "mu_pt", "eta": "mu_eta", "phi": "mu_phi"}
    nodes = {
        "mu": {"type": 2, "features": features},
        "met": {"type": 4, "single": True, "features": {"pt": "met", "phi": "met"}},
    }
    total = {"expression": "sum(mu_charge)"}
    records = read(path, spec_of(nodes, globals={"net": total}, truth={"net": total}, weight=[total]))
    assert records.globals.net.tolist() == records.truth.net.tolist() == records.weight.tolist() == [0, 2, -2]
    assert read(path, spec_of(nodes, select="sum(mu_charge) == 0")).entry.tolist() == [0]
    label = {"expressions": {"neutral": "sum(mu_charge) == 0", "charged": "sum(mu_charge) != 0"}}
    assert read(path, spec_of(nodes, label=label)).label.tolist() == [0, 1, 1]
    assert read(path, spec_of(nodes, truth={"eta": {"expression": "met_eta"}})).truth.eta.tolist() == [0.5, 0, 0]
    assert read(path, spec_of(nodes, truth={"pt": {"expression": "sum(mu_pt)"}})).truth.pt.tolist() == [3, 7, 11]
    with pytest.raises(InputError, match="unknown branch `mu_btag`"):  # neither the spec nor the file has it
        read(path, spec_of(nodes, select="any(mu_btag)"))
    absent = {"mu": {"type": 2, "features": {**features, "charge": {"branch": "q", "optional": True}}}}
    with pytest.raises(InputError, match=r"`mu_charge` is a branch of the file, and a feature of nodes\.mu"):
        read(path, spec_of(absent, select="sum(mu_charge) == 0"))


def test_an_energy_without_a_mass_does_not_hide_the_branch(
    spec_of: SpecOf, write_tree: WriteTree, small_columns: dict[str, Any]
) -> None:
    path = write_tree({**small_columns, "jet_energy": small_columns["jet_pt"] * 2})
    massless = {"jet": {"type": 0, "features": {name: branch for name, branch in JET.items() if name != "mass"}}}
    with pytest.raises(InputError, match="`jet_energy` is a branch of the file, and a feature"):
        read(path, spec_of(massless, select="sum(jet_energy) > 5"))
    assert len(read(path, spec_of(select="sum(jet_energy) >= 0"))) == 3  # with a mass it is that of the record


def test_otherwise_is_read_where_a_file_lacks_the_first(spec_of: SpecOf, small: Path) -> None:
    for value, entries in (
        ({"expression": "run > 0 and met > 25", "otherwise": "met > 5"}, [2]),
        ({"expression": "trigger or met > 25", "otherwise": "met > 15"}, [1, 2]),
    ):
        assert read(small, spec_of(select=value)).entry.tolist() == entries
    records = read(small, spec_of(truth={"x": {"branch": "no", "otherwise": "met"}}))
    assert records.truth.x.tolist() == [10, 20, 30]
