"""Specs and collections that make no sense, and specs that extend others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError

WriteTree = Callable[..., Path]
SpecOf = Callable[..., Spec]
JET = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_m"}
CANDIDATES = {
    "constituent": {
        "type": 0,
        "features": {"pt": "c_pt", "eta": "c_eta", "phi": "c_phi"},
        "members": {"row": "row", "item": "item"},
    },
}


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
    with pytest.raises(InputError, match="extends this file in turn"):
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
        ({"nodes": CANDIDATES, "graph_per": "fat_pt", "object": "x"}, "leave object out"),
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
def test_specs_that_make_no_sense(spec_of: SpecOf, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        spec_of(**keys)
