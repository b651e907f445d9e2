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
