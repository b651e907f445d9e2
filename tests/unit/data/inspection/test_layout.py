"""Groups of branches, by names and types alone."""

from __future__ import annotations

import pytest

from root_gnn.data.inspection.layout import BranchGroup, collections, ids_of, leaf_of, plain_names, slotted, weights_of


def test_types_and_collections_of_many_layouts() -> None:
    types = {
        "nJet_pt": "int32",
        "Jet_pt": "var * float32",
        "Jet_eta": "var * float32",
        "Jet_phi": "var * float32",
        "nJet": "int32",
        "Jet_btagDeepFlavB": "var * float32",
        "Jet_btagCSVV2": "var * float32",
        "MET_pt": "float32",
        "MET_phi": "float32",
        "s": "string",
    }
    leaves = {name: leaf_of(name, kind) for name, kind in types.items()}
    assert [
        (leaf.deep, leaf.size, leaf.kind) for leaf in (leaf_of("a", "10 * var * int8"), leaves["s"], leaf_of("b", ""))
    ] == [
        (2, 10, "number"),
        (0, None, "text"),
        (0, None, "other"),
    ]
    jet, met = collections(leaves)
    assert jet.features == {"pt": "Jet_pt", "eta": "Jet_eta", "phi": "Jet_phi", "btag": "Jet_btagCSVV2"}
    assert (jet.counter, jet.kind, jet.deep, jet.has_momentum) == ("nJet", "jet", 1, True)
    assert (met.kind, met.deep, met.has_momentum) == ("met", 0, True)


@pytest.mark.parametrize(
    ("form", "slots", "template"),
    [
        ("{f}_{s}", ("h1_j1", "h1_j2"), "pt_%SLOT%"),
        ("{s}_{f}", ("lep1", "lep2"), "%SLOT%_pt"),
        ("{f}{s}", ("1", "2", "3"), "pt%SLOT%"),
        ("{f}_{s}", ("0", "1"), "pt_%SLOT%"),
    ],
)
def test_numbered_scalars_are_slots(form: str, slots: tuple[str, ...], template: str) -> None:
    names = [form.format(f=feature, s=slot) for slot in slots for feature in ("pt", "eta", "phi", "Q")]
    (found,) = slotted({name: leaf_of(name, "float64") for name in (*names, "m_hh", "top1_x")})
    assert (found.slots, found.features["pt"]) == (slots, template)
    assert set(found.branches()) == set(names)


def test_ids_and_weights_are_numbers_with_the_usual_names() -> None:
    leaves = {name: leaf_of(name, "int64") for name in ("run", "luminosityBlock", "event", "genWeight", "x")}
    assert ids_of(leaves) == ("run", "luminosityBlock", "event")
    assert weights_of(leaves) == ("genWeight",)
    assert ids_of({"x": leaf_of("x", "int64")}) == ()


def test_single_columns_of_arrays_and_long_forms_are_left_out() -> None:
    assert plain_names(["a", "b/a", "c"]) == ["a", "c"]


def test_objects_with_names_of_their_own_are_slots_and_a_complete_momentum_lacks_nothing() -> None:
    names = [f"{track}_{part}" for track in ("Kplus", "piminus") for part in ("PX", "PY", "PZ", "PE", "PT")]
    leaves = {name: leaf_of(name, "float64") for name in (*names, "B_M", "nCandidate")}
    (found,) = slotted(leaves)
    assert found.slots == ("Kplus", "piminus") and found.features["energy"] == "%SLOT%_PE"
    assert found.has_momentum and found.lacking == []
    alone = BranchGroup("x", 1, features={"pt": "x_pt", "px": "x_px", "py": "x_py"})
    assert alone.lacking == ["pz"]
    assert BranchGroup("x", 1, features={"pt": "x_pt", "phi": "x_phi"}).lacking == ["eta"]
