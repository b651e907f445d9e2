"""Pretraining, then finetuned, frozen and from scratch: what is loaded, what moves, what stays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import torch
import uproot

from root_gnn.config.loader import load
from root_gnn.config.shipped import find, shipped_names
from root_gnn.errors import InputError
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.run import Run, load_encoder
from root_gnn.runs.train import check, finetune, train

TINY = ("model.dim=8", "model.n_steps=1", "train.max_epochs=1", "train.batch_size=64")
CLASSES = "data.classes={WH: WH.root, ZH: ZH.root, ttH: ttH.root, ttbar: ttbar.root}"
JETS = "data.classes={QCD: QCD.root, Tbqq: Tbqq.root}"
ONE_EPOCH = ("train.max_epochs=1", "train.batch_size=64")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """A copy, so that caches are not written beside the fixtures."""
    folder = tmp_path_factory.mktemp("data")
    for path in data_dir.glob("*.root"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module", params=["pretrain_multiclass", "pretrain_multilabel"])
def pretrained(request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(
        request.param,
        overrides=(*TINY, CLASSES),
        data_dir=data,
        run_dir=tmp_path_factory.mktemp("runs") / request.param,
    )


@pytest.fixture(scope="module")
def tuned(pretrained: Run, data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("tuned")
    return {
        mode: finetune(
            "WHvsZH",
            run=pretrained,
            mode=mode,
            train_events=200,
            overrides=ONE_EPOCH,
            data_dir=data,
            run_dir=folder / mode,
        )
        for mode in ("finetuned", "frozen", "scratch")
    }


def encoder_weights(run: Run) -> dict[str, torch.Tensor]:
    return dict(run.encoder.named_parameters())


def test_run_folder_holds_what_the_contract_lists(pretrained: Run) -> None:
    listed = [
        "config.yaml",
        "spec.yaml",
        "scaling.json",
        "plan.json",
        "versions.json",
        "history.csv",
        "tensorboard",
        "checkpoints/last.ckpt",
        "checkpoints/best.ckpt",
        "metrics.json",
        "predictions/test.parquet",
        "plots/learning_curves.png",
    ]
    assert [name for name in listed if not (pretrained.folder / name).exists()] == []
    metrics = pretrained.metrics
    assert set(metrics) >= {"best_epoch", "seconds", "events_per_second", "n_parameters", "device", "splits"}
    assert 0.0 < metrics["splits"]["test"]["auc"] < 1.0 and metrics["splits"]["validation"]["n_events"] > 0


def test_finetuned_starts_from_the_pretrained_backbone_at_a_tenth_of_the_rate(
    pretrained: Run, tuned: dict[str, Run]
) -> None:
    plan = tuned["finetuned"].plan
    rates = {group["name"]: group["lr"] for group in plan["groups"]}
    assert rates["backbone"] == pytest.approx(0.1 * rates["head"])
    assert all(name.startswith("encoder.") for name in plan["loaded"]) and plan["loaded"]
    assert all(name.startswith("head.") for name in plan["initialised"])
    assert plan["skipped"] and plan["frozen"] == [] and plan["source"] == pretrained.name
    before, after = encoder_weights(pretrained), encoder_weights(tuned["finetuned"])
    largest = max(float((after[name] - before[name]).abs().max()) for name in before)
    assert 0.0 < largest < 0.05


def test_frozen_backbone_does_not_move_and_has_no_rate(pretrained: Run, tuned: dict[str, Run]) -> None:
    before, after = encoder_weights(pretrained), encoder_weights(tuned["frozen"])
    assert all(torch.equal(before[name], after[name]) for name in before)
    plan = tuned["frozen"].plan
    assert {group["name"] for group in plan["groups"]} == {"head", "head_no_decay"}
    assert len(plan["frozen"]) == len(before)


def test_scratch_shares_architecture_and_events_but_not_weights(pretrained: Run, tuned: dict[str, Run]) -> None:
    before, after = encoder_weights(pretrained), encoder_weights(tuned["scratch"])
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert (
        tuned["scratch"].plan["loaded"] == [] and tuned["scratch"].plan["events"] == tuned["finetuned"].plan["events"]
    )


def test_scaling_is_inherited_by_finetuned_and_fitted_anew_from_scratch(pretrained: Run, tuned: dict[str, Run]) -> None:
    assert tuned["finetuned"].scaling == tuned["frozen"].scaling == pretrained.scaling
    assert tuned["scratch"].scaling != pretrained.scaling


def test_predictions_are_of_the_same_test_events_in_every_mode(tuned: dict[str, Run], data: Path) -> None:
    ids = [run.answers("test", data_dir=data).ids for run in tuned.values()]
    assert np.array_equal(ids[0], ids[1]) and np.array_equal(ids[0], ids[2])


def test_a_run_folder_can_be_moved(tuned: dict[str, Run], data: Path, tmp_path: Path) -> None:
    moved = Run(Path(shutil.copytree(tuned["finetuned"].folder, tmp_path / "elsewhere")))
    first = moved.answers("test", data_dir=data)
    second = tuned["finetuned"].answers("test", data_dir=data)
    assert np.array_equal(first.probabilities, second.probabilities)


def test_encoder_object_finetunes_like_its_run(
    pretrained: Run, tuned: dict[str, Run], data: Path, tmp_path: Path
) -> None:
    encoder = load_encoder(pretrained.folder)
    run = finetune(
        "WHvsZH", encoder=encoder, train_events=200, overrides=ONE_EPOCH, data_dir=data, run_dir=tmp_path / "run"
    )
    assert all(
        torch.equal(value, encoder_weights(tuned["finetuned"])[name]) for name, value in encoder_weights(run).items()
    )


@pytest.mark.parametrize(
    ("mode", "override"),
    [
        ("scratch", "optim.backbone_lr_scale=0.1"),
        ("frozen", "optim.backbone_lr_scale=0.1"),
        ("finetuned", "optim.backbone_lr_scale=0"),
    ],
)
def test_an_override_that_contradicts_the_mode_is_refused(
    mode: str, override: str, pretrained: Run, data: Path
) -> None:
    with pytest.raises(InputError, match="contradicts"):
        finetune("WHvsZH", run=pretrained, mode=mode, overrides=(override,), data_dir=data)


def test_more_training_events_than_there_are_is_refused(pretrained: Run, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="training split has"):
        finetune("WHvsZH", run=pretrained, train_events=100_000, data_dir=data, run_dir=tmp_path / "run")


def test_a_wrong_task_lists_the_near_ones(pretrained: Run) -> None:
    with pytest.raises(InputError, match="WHvsZH"):
        finetune("WHvsZ", run=pretrained)


def test_a_pretrained_model_of_another_shape_is_refused(pretrained: Run, data: Path, tmp_path: Path) -> None:
    broken = Run(Path(shutil.copytree(pretrained.folder, tmp_path / "broken")))
    text = (broken.folder / "config.yaml").read_text(encoding="utf-8")
    (broken.folder / "config.yaml").write_text(text.replace("dim: 8", "dim: 16", 1), encoding="utf-8")
    with pytest.raises(InputError, match="does not fit"):
        finetune("WHvsZH", run=broken.folder, data_dir=data, run_dir=tmp_path / "run")


def showered_twice(path: Path, out: Path) -> None:
    """A copy of a jet ntuple in which every jet comes a second time, a little harder, as the other shower of its hard
    event.
    """
    with uproot.open(path) as file:
        jets = file["tree"].arrays()
    again = ak.with_field(ak.with_field(jets, jets.resimulation + 1, "resimulation"), 1.01 * jets.part_px, "part_px")
    both = ak.concatenate([jets, again])
    with uproot.recreate(out) as file:
        file["tree"] = {name: both[name] for name in both.fields if name != "npart"}


@pytest.mark.parametrize("name", [name for name in shipped_names("recipe") if name.startswith("pretrain")])
def test_every_shipped_recipe_takes_a_step(name: str, data: Path, tmp_path: Path) -> None:
    recipe = load(Recipe, find(name, "recipe"))
    if getattr(getattr(recipe.objective, "tokens", None), "name", "") == "subjets":
        pytest.importorskip("fastjet")
    if getattr(recipe.objective, "pairs", "") == "resimulation":
        for kind in ("QCD", "Tbqq"):
            showered_twice(data / f"{kind}.root", tmp_path / f"{kind}.root")
        data = tmp_path
    told = check(
        name, overrides=(JETS if recipe.data.spec == "jetclass.yaml" else CLASSES, "train.batch_size=32"), data_dir=data
    )
    assert "first loss" in told and "backbone" in told


@pytest.mark.parametrize("task", ["WHvsZH", "ttHvsttbar", "FCNCvsttbar"])
def test_every_task_trains(task: str, data: Path, tmp_path: Path) -> None:
    run = finetune(task, mode="scratch", train_events=100, overrides=TINY, data_dir=data, run_dir=tmp_path / task)
    entry = json.loads((run.folder / "metrics.json").read_text(encoding="utf-8"))["splits"]["test"]
    assert set(entry["rejection"]) == {"0.3", "0.5"} and entry["significance"] is None


def test_a_spec_is_found_beside_its_recipe(data: Path, tmp_path: Path) -> None:
    shutil.copy(find("events", "spec"), tmp_path / "own_spec.yaml")
    text = find("WHvsZH", "task").read_text(encoding="utf-8").replace("spec: events.yaml", "spec: own_spec.yaml")
    (tmp_path / "own_task.yaml").write_text(text, encoding="utf-8")
    task = str(tmp_path / "own_task.yaml")
    run = finetune(task, mode="scratch", train_events=64, overrides=TINY, data_dir=data, run_dir=tmp_path / "run")
    assert 0.0 < run.metrics["splits"]["test"]["auc"] < 1.0
