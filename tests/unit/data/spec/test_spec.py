"""The spec: what it takes, what it refuses, and the ones that are shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from root_gnn.config.loader import to_yaml
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError
from root_gnn.graph.features import Features


def test_shipped_specs_have_the_standard_columns() -> None:
    for name in ("events", "cms_nanoaod", "hzz"):
        spec = load_spec(name)
        assert spec.name == name
        assert spec.features() == Features()
        assert [collection.type for collection in spec.nodes.values()] == [0, 1, 2, 3, 4]


def test_values_may_be_names_mappings_or_alternatives() -> None:
    btag = load_spec("cms_nanoaod").nodes["jet"].features["btag"]
    assert [(value.branch, value.above) for value in btag] == [("Jet_btagCSVV2", 0.8484), ("Jet_btagDeepFlavB", 0.2783)]
    assert load_spec("events").nodes["jet"].features["pt"][0].branch == "jet_pt"


def test_a_written_spec_reads_back_the_same(tmp_path: Path) -> None:
    for name in ("events", "cms_nanoaod", "hzz"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(to_yaml(load_spec(name)))
        assert load_spec(path) == load_spec(name)
        assert load_spec(path).digest() == load_spec(name).digest()


def test_digest_sees_everything_but_the_name(small_spec: dict[str, Any]) -> None:
    spec = load_spec(small_spec)
    assert load_spec({**small_spec, "name": "other"}).digest() == spec.digest()
    assert load_spec({**small_spec, "weight": ["w"]}).digest() != spec.digest()
    swapped = {key: small_spec["nodes"][key] for key in ("muon", "jet", "met")}
    assert load_spec({**small_spec, "nodes": swapped}).digest() != spec.digest()


def test_repr_is_a_table() -> None:
    text = repr(load_spec("hzz"))
    assert "px=Jet_Px" in text
    assert "id file, entry; weight EventWeight" in text


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"pt": "a", "eta": "b"}, "a momentum is pt eta phi or px py pz"),
        ({"pt": "a", "eta": "b", "phi": "c", "px": "d"}, "a momentum is"),
        ({"pt": "a", "eta": "b", "phi": "c", "mass": "d", "energy": "e"}, "energy or mass, not both"),
        ({"pt": "a", "eta": "b", "phi": "c", "btagg": "d"}, "did you mean btag"),
        ({"pt": {"branch": "a", "unit": "PeV"}, "eta": "b", "phi": "c"}, "MeV"),
        ({"pt": [], "eta": "b", "phi": "c"}, "nodes.jet.features.pt"),
    ],
)
def test_wrong_features_are_refused(small_spec: dict[str, Any], features: dict[str, Any], message: str) -> None:
    small_spec["nodes"]["jet"]["features"] = features
    with pytest.raises(InputError, match=message):
        load_spec(small_spec)


def test_reserved_names_and_unknown_keys_are_refused(small_spec: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be called weight"):
        load_spec({**small_spec, "nodes": {"weight": small_spec["nodes"]["jet"]}})
    with pytest.raises(InputError, match="node_features must hold"):
        load_spec({**small_spec, "node_features": ["pt", "eta", "phi", "energy"]})
    path = tmp_path / "wrong.yaml"
    path.write_text("name: x\nsource: {name: root, tree: Events}\nnode: {}\n")
    with pytest.raises(InputError, match=rf"{path}:3: node: unknown key; did you mean nodes"):
        load_spec(path)


def test_an_unknown_name_lists_near_ones() -> None:
    with pytest.raises(InputError, match="did you mean events"):
        load_spec("event")


def test_prediction_needs_neither_weight_nor_truth(small_spec: dict[str, Any]) -> None:
    spec = load_spec(small_spec).inputs_only()
    assert (spec.weight, spec.truth, spec.label) == ((), {}, None)
    assert spec.id_names == ("run", "event")
