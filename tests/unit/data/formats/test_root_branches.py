"""Names of what is read from a tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from root_gnn.data.formats.root_branches import conventional_name, dotted_branch, leaves_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Jet_pt", "Jet_pt"),
        ("Jet/Jet.PT", "Jet.PT"),
        ("jet/pt", "jet.pt"),
        ("mu/fP/fP.fX", "mu.fP.fX"),
        ("jets/jets.fP/jets.fP.fX", "jets.fP.fX"),
        ("PARAMETERS/_intMap/_intMap.first", "PARAMETERS._intMap.first"),
        ("EventInfoAux./EventInfoAux.eventNumber", "EventInfoAux.eventNumber"),
        ("AnalysisJetsAuxDyn:pt", "AnalysisJetsAuxDyn.pt"),
        ("Muon#0/Muon#0.index", "Muon#0.index"),
    ],
)
def test_dotted(path: str, name: str) -> None:
    assert dotted_branch(path) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("mu.fP.fX", "mu.px"),
        ("mu.fE", "mu.energy"),
        ("met.fY", "met.py"),
        ("jet.fCoordinates.fPt", "jet.pt"),
        ("jet.fCoordinates.fM", "jet.mass"),
        ("pf.first.fP.fZ", "pf.first.pz"),
        ("fX", "fX"),
        ("Jet.PT", "Jet.PT"),
    ],
)
def test_friendly(path: str, name: str) -> None:
    assert conventional_name(path) == name


def test_short_names_that_are_taken_or_ambiguous_are_not_given(write_tree: Callable[..., Path]) -> None:
    path = write_tree({"a:x": np.zeros(1), "a.x": np.ones(1), "b:c.x": np.zeros(1), "b.c:x": np.ones(1)}, rntuple=True)
    with uproot.open(path) as file:
        leaves = leaves_of(file["Events"])
        assert set(leaves) == {"a:x", "a.x", "b:c.x", "b.c:x"}
        assert leaves["a.x"].origin.name == "a.x"


def test_momenta_of_vector_classes(write_tree: Callable[..., Path]) -> None:
    jets = ak.Array([[{"fP": {"fX": 3.0, "fY": 4.0, "fZ": 0.0}, "fE": 5.0}], []])
    path = write_tree({"jets": jets, "met": ak.Array([{"fX": 1.0, "fY": 2.0}, {"fX": 0.0, "fY": 0.0}])}, rntuple=True)
    with uproot.open(path) as file:
        leaves = leaves_of(file["Events"])
        assert {name: leaves[name].array(0, 2).tolist() for name in ("jets.px", "jets.energy", "met.py")} == {
            "jets.px": [[3.0], []],
            "jets.energy": [[5.0], []],
            "met.py": [2.0, 0.0],
        }
        assert leaves["jets.px"].type() == "var * float64"
        assert leaves["met.py"].type() == "float64"
