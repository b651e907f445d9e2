"""Data configurations of weaver-core as specs: the numbers of its formulas, and notes on all losses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml

from root_gnn.config.plugins import Allowed, config_class
from root_gnn.convert.convert import convert
from root_gnn.convert.converted import Converted
from root_gnn.data.cache.prepare import prepare_shards
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError
from root_gnn.graph.scaling import Scaling

CLASSES = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")
IDENTITY = ("charge", "isChargedHadron", "isNeutralHadron", "isPhoton", "isElectron", "isMuon")
RELATIVE = {
    "part_pt_log": "np.log(part_pt)",
    "part_e_log": "np.log(part_energy)",
    "part_logptrel": "np.log(part_pt/jet_pt)",
    "part_logerel": "np.log(part_energy/jet_energy)",
    "part_deltaR": "np.hypot(part_deta, part_dphi)",
}
SCALES = {
    "part_pt_log": (1.7, 0.7),
    "part_e_log": (2.0, 0.7),
    "part_logptrel": (-4.7, 0.7),
    "part_logerel": (-4.7, 0.7),
    "part_deltaR": (0.2, 4.0),
}
NEW = {
    "part_mask": "ak.ones_like(part_energy)",
    "part_pt": "np.hypot(part_px, part_py)",
    **RELATIVE,
    "part_d0": "np.tanh(part_d0val)",
    "part_dz": "np.tanh(part_dzval)",
}


def group(*variables: Any, length: int | None = 128, pad_mode: str = "wrap") -> dict[str, Any]:
    return {"length": length, "pad_mode": pad_mode, "vars": list(variables)}


def jetclass(**changes: Any) -> dict[str, Any]:
    """The configuration of all features, as published for JetClass, with some keys changed."""
    plain = [[f"part_{name}", None] for name in IDENTITY]
    impact = [["part_d0", None], ["part_d0err", 0, 1, 0, 1], ["part_dz", None], ["part_dzerr", 0, 1, 0, 1]]
    angles = [["part_deta", None], ["part_dphi", None]]
    content = {
        "selection": None,
        "new_variables": NEW,
        "preprocess": {"method": "manual", "data_fraction": 0.5},
        "inputs": {
            "pf_points": group(*angles),
            "pf_features": group(*([name, *SCALES[name]] for name in RELATIVE), *plain, *impact, *angles),
            "pf_vectors": group(*([f"part_{name}", None] for name in ("px", "py", "pz", "energy"))),
            "pf_mask": group(["part_mask", None], pad_mode="constant"),
        },
        "labels": {"type": "simple", "value": [f"label_{name}" for name in CLASSES]},
        "observers": ["jet_pt", "jet_sdmass"],
        "weights": None,
    }
    return {**content, **changes}


def converted(folder: Path, content: dict[str, Any], **keys: Any) -> tuple[Spec, Converted]:
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    made = convert(folder / "config.yaml", out=folder, overwrite=True, **keys)
    return load_spec(folder / "config_spec.yaml"), made


@pytest.mark.parametrize("name", ["QCD", "Tbqq"])
def test_jets_are_read_as_with_our_own_spec(name: str, data_dir: Path, tmp_path: Path) -> None:
    spec, made = converted(tmp_path, jetclass())
    assert made.notes.lost == []
    own = load_spec("jetclass")
    found, expected = read(data_dir / f"{name}.root", spec), read(data_dir / f"{name}.root", own)
    assert set(spec.node_features) == set(own.node_features) and spec.transforms == own.transforms
    for (
        feature
    ) in own.stored_features:  # errors of impact parameters are cut at 1 in the configuration, and below 1 here
        assert ak.array_equal(found.constituent[feature], expected.constituent[feature]), feature
    assert ak.array_equal(found.label, expected.label) and spec.label is not None and spec.label.names == CLASSES
    prepared = [
        prepare_shards(one, [data_dir / f"{name}.root"], data_dir=tmp_path)[data_dir / f"{name}.root"]
        for one in (spec, own)
    ]
    columns = [spec.node_features.index(feature) for feature in own.node_features]
    assert np.array_equal(prepared[0].nodes[:, columns], prepared[1].nodes)
    assert np.array_equal(prepared[0].offsets, prepared[1].offsets)


def test_numbers_are_those_of_the_formulas(data_dir: Path, tmp_path: Path) -> None:
    """What weaver computes for this configuration, here by the formulas themselves, before its centre and scale."""
    spec, _ = converted(tmp_path, jetclass())
    with uproot.open(data_dir / "QCD.root") as file:
        table = file["tree"].arrays()
    names: dict[str, Any] = {"np": np, "ak": ak, **{field: table[field] for field in table.fields}}
    for name, formula in NEW.items():
        names[name] = eval(formula, names)
    found = read(data_dir / "QCD.root", spec).constituent
    for feature, expected in {
        "pt": names["part_pt"],
        "charge": names["part_charge"],
        "deta": names["part_deta"],
        "energy": names["part_energy"],
        "d0err": ak.where(names["part_d0err"] > 1, 1.0, names["part_d0err"]),
        "isPhoton": names["part_isPhoton"],
    }.items():
        np.testing.assert_allclose(ak.flatten(found[feature]), ak.flatten(expected), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(np.tanh(ak.flatten(found.d0val)), ak.flatten(names["part_d0"]), rtol=1e-6, atol=1e-7)


def test_the_network_can_be_given_weavers_inputs_in_weavers_order(tmp_path: Path) -> None:
    spec, made = converted(tmp_path, jetclass())
    (said,) = (note for note in made.notes.different if "inputs: [" in note)
    inputs = tuple(re.findall(r"\w+", said.partition("inputs: [")[2]))
    assert inputs == (
        "log_pt",
        "log_energy",
        "log_pt_rel",
        "log_energy_rel",
        "delta_r",
        *IDENTITY,
        "d0val",
        "d0err",
        "dzval",
        "dzerr",
        "deta",
        "dphi",
    )
    section = config_class("models", "particle_transformer", Allowed()).model_validate({"inputs": inputs})
    encoder = section.build(spec.features(), Scaling())  # type: ignore[attr-defined]
    assert encoder.inputs.dim == 17
    assert [name for name in RELATIVE if f"{name} ({SCALES[name][0]}, {SCALES[name][1]:g})" not in str(made)] == []


def test_a_selection_weights_and_labels_that_are_formulas(data_dir: Path, tmp_path: Path) -> None:
    content = jetclass(
        treename="tree",
        selection="(jet_pt > jet_cut) & (ak.sum(part_charge, axis=1) != 0) & ~(jet_nparticles<20)",
        new_variables={
            **NEW,
            "jet_cut": "500 + 2*jet_pad",
            "jet_pad": "25",
            "jet_isTop": "label_Tbqq",
            "jet_isQCD": "1-label_Tbqq",
        },
        labels={"type": "simple", "value": ["jet_isTop", "jet_isQCD"]},
        weights={"use_precomputed_weights": True, "weight_branches": ["weight", "jet_cut"]},
    )
    spec, made = converted(tmp_path, content)
    assert made.notes.lost == [] and spec.label is not None and spec.label.names == ("isTop", "isQCD")
    found = read(data_dir / "Tbqq.root", spec)
    with uproot.open(data_dir / "Tbqq.root") as file:
        table = file["tree"].arrays(["jet_pt", "part_charge", "jet_nparticles", "weight"])
    keep = (table.jet_pt > 550) & (ak.sum(table.part_charge, axis=1) != 0) & (table.jet_nparticles >= 20)
    assert 0 < ak.sum(keep) < len(keep)
    assert found.entry.tolist() == np.flatnonzero(keep).tolist() and set(found.label.tolist()) == {0}
    np.testing.assert_allclose(found.weight, table.weight[keep] * 550)
    assert set(read(data_dir / "QCD.root", spec).label.tolist()) == {1}


def test_a_stack_of_labels_event_numbers_and_masks(data_dir: Path, tmp_path: Path) -> None:
    inputs = jetclass()["inputs"]
    stack = "np.argmax(np.stack([ak.to_numpy(label_QCD), label_Tbqq], axis=1), axis=1)"
    content = jetclass(
        labels={"type": "custom", "value": {"truth": stack}},
        monitor_variables=["jet_pt"],
        observers=None,
        bucketing={"var": "n", "bins": [1]},
        inputs={
            **inputs,
            "pf_mask": group(["part_hard", None]),
            "jet_features": group(["jet_pt", None], "jet_share", length=1),
        },
        new_variables={**NEW, "part_hard": "part_energy > 5", "jet_share": "jet_sdmass/jet_pt"},
    )
    spec, made = converted(tmp_path, content, tree="tree")
    assert made.notes.lost == [] and spec.features().globals == ("n_node", "jet_pt", "jet_share")
    found = read(data_dir / "Tbqq.root", spec)
    assert set(found.label.tolist()) == {1} and ak.min(found.constituent.energy) > 5
    assert len(found.constituent.energy) == 60 and not any("treename" in note for note in made.notes.different)
    assert any(note.startswith("bucketing") for note in made.notes.different)


def test_vertices_are_a_kind_of_their_own(tmp_path: Path) -> None:
    content = jetclass()
    vectors = group(*(f"sv_{name}" for name in ("px", "py", "pz", "energy")), length=5)
    content["inputs"] |= {"sv_features": group(["sv_charge", None], ["sv_d0val", None]), "sv_vectors": vectors}
    spec, made = converted(tmp_path, content)
    assert {name: one.type for name, one in spec.nodes.items()} == {
        "constituent": 0,
        "vertex": 1,
    } and spec.features().n_type == 2
    assert spec.nodes["vertex"].features["charge"][0].branch == "sv_charge" and spec.node_features.count("charge") == 1
    assert [note.partition(":")[0] for note in made.notes.lost] == ["inputs.sv_features.d0val"], (
        "read as it is there, by its tanh here"
    )
    assert not any("inputs: [" in note for note in made.notes.different)


def test_names_of_branches_may_have_dots(tmp_path: Path) -> None:
    content = jetclass(new_variables={"log_e": "np.log(part_energy)"})
    content["inputs"]["pf_features"] = group("log_e", "PF.Charge", "PF#d0", ["PF.err", 0, 1, 0, 1])
    content["inputs"]["pf_vectors"] = group("PF.Px", "PF.Py", "PF.Pz", "PF.E")
    spec, made = converted(tmp_path, content)
    features = spec.nodes["constituent"].features
    assert [features[name][0].branch for name in ("px", "energy", "PF.Charge", "PF#d0")] == [
        "PF.Px",
        "PF.E",
        "PF.Charge",
        "PF#d0",
    ]
    assert (
        features["PF.err"][0].expression == "clip(PF.err, 0, 1)" and features["part_energy"][0].branch == "part_energy"
    )
    mask = spec.nodes["constituent"].mask
    assert made.notes.lost == [] and mask is not None and mask.branch == "part_mask", "no formula, so a branch"


def test_whatever_has_no_form_is_named(tmp_path: Path) -> None:
    inputs = jetclass()["inputs"]
    content = jetclass(
        selection="(jet_flag & 4) > 0",
        test_time_selection="jet_pt > 0",
        surprise=1,
        file_magic={"x": {"y": 1}},
        new_variables={
            **NEW,
            "part_odd": "my_function(part_px)",
            "part_bad": "__import__('os').system('touch executed')",
        },
        inputs={
            **inputs,
            "pf_features": group("part_odd", "part_bad", "part_charge"),
            "sv_features": group("sv_pt"),
            "image": group("x"),
        },
        labels={"type": "custom", "value": {"a": "jet_pt", "b": "jet_eta"}},
        weights={
            "use_precomputed_weights": False,
            "reweight_method": "flat",
            "reweight_vars": {"jet_pt": [0, 1], "jet_sdmass": [0, 1]},
            "reweight_classes": ["label_QCD"],
        },
    )
    spec, made = converted(tmp_path, content)
    keys = [note.partition(":")[0] for note in made.notes.lost]
    assert keys == [
        "selection",
        "inputs.pf_features.part_odd",
        "inputs.pf_features.part_bad",
        "inputs.sv_features",
        "inputs.image",
        "weights",
        "labels",
        "test_time_selection",
        "surprise",
        "file_magic",
    ]
    assert (
        spec.label is None and spec.select is None and spec.stored_features == ("pt", "eta", "phi", "energy", "charge")
    )
    head = (tmp_path / "config_spec.yaml").read_text().partition("\nname:")[0]
    assert all(note.partition(":")[0] in " ".join(head.replace("\n#", "").split()) for note in made.notes.lost)
    assert not (tmp_path / "executed").exists() and "\nNot translated:\n- selection" in str(made)


def test_parameters_that_weaver_wrote_itself_are_those_that_count(tmp_path: Path) -> None:
    params = {"part_charge": {"length": 128, "center": 0.5, "scale": 2.0, "min": -1, "max": 3, "pad_value": 0}}
    content = jetclass(preprocess={"method": "auto", "data_fraction": 0.1, "params": params})
    content["inputs"]["pf_features"]["vars"] += [["part_n", "auto", 1, -1, 1], ["part_m", 1, -2, 0, 3]]
    _, made = converted(tmp_path, content)
    assert [note.partition(":")[0] for note in made.notes.lost] == ["inputs, part_n", "inputs, part_m"], (
        "cut where no number tells"
    )
    text = (tmp_path / "config_spec.yaml").read_text()
    assert "charge: {expression: 'clip(part_charge, 0, 2)'}" in text  # (x - 0.5) * 2 between -1 and 3
    assert any("part_charge (0.5, 2)" in note for note in made.notes.different)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"inputs": {"pf_features": {"vars": ["a"]}}, "labels": {}}, "momenta"),
        ({"inputs": None, "labels": None}, "momenta"),
        ({"inputs": {"pf_vectors": group("a", "b", "c", ["d", 0, "much"])}, "labels": {}}, "a number was expected"),
        ({"some": "thing"}, "weaver-core .* or a configuration of root_gnn_dgl"),
    ],
)
def test_what_cannot_become_a_spec_is_refused(content: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        converted(tmp_path, content)
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


@pytest.mark.slow
def test_weaver_reads_the_same(data_dir: Path, tmp_path: Path) -> None:
    """weaver-core itself, with the configuration as it was written."""
    pytest.importorskip("weaver", reason="weaver-core is not installed")
    import torch
    from weaver.utils.dataset import SimpleIterDataset

    content = jetclass(treename="tree")
    for part in content["inputs"].values():
        part["pad_mode"] = "constant"
    spec, _ = converted(tmp_path, content)
    dataset = SimpleIterDataset(
        {"a": [str(data_dir / "QCD.root")]}, str(tmp_path / "config.yaml"), for_training=False, fetch_step=1
    )
    inputs, labels, _ = next(iter(torch.utils.data.DataLoader(dataset, batch_size=60)))
    found = read(data_dir / "QCD.root", spec, stop=60)
    there = inputs["pf_mask"][:, 0].numpy() > 0
    counts = ak.num(found.constituent.pt).to_numpy()
    assert (
        np.array_equal(there.sum(axis=1), np.minimum(counts, 128))
        and labels["_label_"].tolist() == found.label.tolist()
    )
    first = found.constituent[ak.local_index(found.constituent.pt) < 128]
    theirs = inputs["pf_features"].numpy().transpose(0, 2, 1)[there]
    for place, (feature, change) in {
        5: ("charge", lambda x: x),
        11: ("d0val", np.tanh),
        12: ("d0err", lambda x: x),
        13: ("dzval", np.tanh),
        16: ("dphi", lambda x: x),
        0: ("pt", lambda x: np.clip((np.log(x) - 1.7) * 0.7, -5, 5)),
    }.items():
        np.testing.assert_allclose(
            change(ak.flatten(first[feature]).to_numpy()), theirs[:, place], rtol=1e-4, atol=1e-5, err_msg=feature
        )
