"""Configurations of root_gnn_dgl as recipes: the published network, the standard ntuple, and notes on all losses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import yaml

from root_gnn.config.loader import load
from root_gnn.convert.convert import convert
from root_gnn.convert.converted import Converted
from root_gnn.convert.foreign import read_foreign
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError
from root_gnn.graph.scaling import Scaling
from root_gnn.runs.build import build_objective
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.train import train

PUBLISHED = """
Training_Name: ttH CP/even vs odd
Training_Directory: trainings/stats_100K/ttH_CP_even_vs_odd
Model:
  module: models.GCN
  class: Edge_Network
  args: {hid_size: 64, in_size: 7, out_size: 1, n_layers: 4, n_proc_steps: 4, dropout: 0}
Training: {epochs: 500, batch_size: 2048, learning_rate: 0.0001, gamma: 0.99}
Datasets:
  odd: &dataset_defn
    module: root_gnn_base.dataset
    class: LazyDataset
    shuffle_chunks: 3
    batch_size: 2048
    padding_mode: NONE
    args: &dataset_args
      name: odd
      label: 1
      weight_var: weight
      chunks: 3
      buffer_size: 2
      file_names: ZH.root
      tree_name: Events
      fold_var: eventNumber
      node_branch_names:
        - [jet_pt, ele_pt, mu_pt, ph_pt, met_met]
        - [jet_eta, ele_eta, mu_eta, ph_eta, 0]
        - [jet_phi, ele_phi, mu_phi, ph_phi, met_phi]
        - CALC_E
        - [jet_btag, 0, 0, 0, 0]
        - [0, ele_charge, mu_charge, 0, 0]
        - NODE_TYPE
      node_branch_types: [vector, vector, vector, vector, single]
      node_feature_scales: [0.1, 1, 1, 0.1, 1, 1, 1]
    folding: {n_folds: 4, test: [2], train: [0, 1, 3]}
  even:
    <<: *dataset_defn
    args:
      <<: *dataset_args
      name: even
      label: 0
      file_names: [WH.root]
"""


def converted(folder: Path, text: str = PUBLISHED) -> Converted:
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return convert(folder / "config.yaml", out=folder)


def changed(change: Callable[[dict[str, Any]], Any]) -> str:
    """The published configuration, anchors written out, with something changed in place."""
    content = yaml.safe_load(PUBLISHED)
    change(content)
    return str(yaml.safe_dump(content))


def test_the_network_and_its_training_are_those_published(tmp_path: Path) -> None:
    made = converted(tmp_path)
    recipe = load(Recipe, tmp_path / "config_recipe.yaml")
    assert made.notes.lost == [] and recipe.name == "ttH_CP_even_vs_odd"
    assert dict(recipe.data.classes) == {"even": ("WH.root",), "odd": ("ZH.root",)}, "by label"
    assert (recipe.data.split.n_fold, recipe.data.split.fold) == (4, 2)
    assert (recipe.optim.lr, recipe.optim.schedule, recipe.optim.gamma) == (1e-4, "exponential", 0.99)
    assert (recipe.train.max_epochs, recipe.train.batch_size) == (500, 2048)
    faithful = load(Recipe, Path(__file__).parents[3] / "configs" / "pretrain_multiclass_faithful.yaml")
    assert recipe.model == faithful.model and recipe.objective == faithful.objective
    network = build_objective(recipe, load_spec(tmp_path / "config_spec.yaml"), Scaling())
    with_one_output, one_more = 134_529, 65
    assert sum(weight.numel() for weight in network.parameters()) == with_one_output + one_more


def test_events_are_read_as_with_our_own_spec_but_for_masses(data_dir: Path, tmp_path: Path) -> None:
    converted(tmp_path)
    spec = load_spec(tmp_path / "config_spec.yaml")
    found, own = read(data_dir / "WH.root", spec), read(data_dir / "WH.root", load_spec("events"))
    for kind in ("jet", "electron", "muon", "photon", "met"):
        for feature in ("pt", "eta", "phi", "btag", "charge"):
            assert ak.array_equal(found[kind, feature], own[kind, feature]), (kind, feature)
        massless = found[kind].pt * np.cosh(found[kind].eta)
        flat = [ak.to_numpy(ak.flatten(one, axis=None)) for one in (found[kind].energy, massless)]
        np.testing.assert_allclose(*flat, rtol=1e-5)
    assert np.array_equal(found.weight, own.weight) and np.array_equal(found.ids[:, 0], own.ids[:, 1])
    assert spec.features() == load_spec("events").features()


def test_the_recipe_trains(data_dir: Path, tmp_path: Path) -> None:
    converted(tmp_path)
    small = ("train.max_steps=2", "train.max_epochs=1", "train.batch_size=64", "model.dim=8", "model.n_steps=1")
    run = train(str(tmp_path / "config_recipe.yaml"), overrides=small, data_dir=data_dir, run_dir=tmp_path / "run")
    assert run.metrics["splits"]["test"]["n_events"] > 50


def test_whatever_is_not_known_is_named(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["Loss"] = {"module": "models.loss"}
        content["Model"] |= {"class": "Transferred_Learning", "args": {**content["Model"]["args"], "attention": True}}
        content["Training"]["swa"] = 3
        even, odd = (content["Datasets"][name] for name in ("even", "odd"))
        even["sampler"] = odd["args"]["selections"] = ["n > 2"]
        odd["args"]["weight_var"] = "other"
        even["folding"] = {"n_folds": 4, "test": [1], "train": [0, 2, 3]}
        even["args"]["node_branch_names"][4][1] = odd["args"]["node_branch_names"][4][1] = 5
        content["Datasets"]["third"] = {"args": {"label": "x"}}

    made = converted(tmp_path, changed(change))
    keys = {note.partition(":")[0] for note in made.notes.lost}
    assert keys == {
        "Loss",
        "Model.class Transferred_Learning",
        "Model.args.attention",
        "Training.swa",
        "Datasets.*.sampler",
        "weight_var",
        "folding",
        "Datasets.*.args.selections",
        "node_branch_names, btag of kind 1",
        "Datasets.third",
        "tree_name",
        "fold_var",
        "node_branch_names",
        "node_branch_types",
        "node_feature_scales",
    }
    assert load(Recipe, tmp_path / "config_recipe.yaml").data.split.n_fold is None


def test_without_branches_the_standard_ntuple_is_read(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        for dataset in content["Datasets"].values():
            del dataset["args"]["node_branch_names"]

    made = converted(tmp_path, changed(change))
    assert [path.name for path in made.files] == ["config_recipe.yaml"]
    assert load(Recipe, tmp_path / "config_recipe.yaml").data.spec == "events"
    assert "node_branch_names is not there" in str(made)


def test_files_are_not_replaced_unasked(tmp_path: Path) -> None:
    converted(tmp_path)
    with pytest.raises(InputError, match=r"config_recipe\.yaml exists"):
        converted(tmp_path)


LAUGHS = "a: &a [x]\n" + "".join(
    f"{one}: &{one} [{', '.join([f'*{before}'] * 10)}]\n" for before, one in pairwise("abcdefg")
)
REFUSED = {
    "at least two of different labels": "Model: {}\nDatasets: {a: {args: {label: 0, file_names: a.root}}}",
    "among none": "Model: {}\nDatasets: nothing",
    "dim": PUBLISHED.replace("hid_size: 64", "hid_size: many"),
    "row 3 is 'CALC_M'": PUBLISHED.replace("- CALC_E", "- CALC_M"),
    "a list of rows": PUBLISHED.replace("- [jet_eta, ele_eta, mu_eta, ph_eta, 0]", "- x"),
    "an alias stands inside": "a: &a [*a]",
    "could not determine a constructor": "a: !!python/object/apply:os.system [x]",
    "aliases written out": LAUGHS,
    "not valid YAML|nested": "a: " + "[" * 3000,
    "a mapping of keys": "- a",
    "not valid YAML": "a: 2024-99-99",
}


@pytest.mark.parametrize(("said", "text"), REFUSED.items(), ids=list(REFUSED))
def test_what_is_no_configuration_is_refused(said: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as caught:
        converted(tmp_path, text)
    assert "config.yaml" in str(caught.value) and [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "a.yaml", tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(InputError, match=r"UTF-8|cannot be read"):
            read_foreign(path)
    (tmp_path / "long.yaml").write_text("a: " + "x" * 2_000_000)
    with pytest.raises(InputError, match="too many"):
        read_foreign(tmp_path / "long.yaml")
