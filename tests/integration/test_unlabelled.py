"""Pretraining without labels from the command line, then finetuning; what a run of it writes down."""

from __future__ import annotations

import csv
import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from root_gnn.cli.app import app
from root_gnn.errors import InputError
from root_gnn.runs.evaluate import evaluate
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.run import Run
from root_gnn.runs.setup import TrainingSetup
from root_gnn.runs.train import train

JETS = "data.classes={QCD: QCD.root, Tbqq: Tbqq.root}"
CLASSES = "data.classes={WH: WH.root, ZH: ZH.root, ttH: ttH.root, ttbar: ttbar.root}"
TINY = ("model.dim=8", "model.n_steps=1", "train.batch_size=64", CLASSES)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for path in data_dir.glob("*.root"):
        shutil.copy(path, folder)
    return folder


def command(*arguments: str) -> None:
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def pretrained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs") / "jepa"
    settings = (*TINY, "train.max_epochs=2", "train.monitor=probe/auc")
    changes = [part for one in settings for part in ("--set", one)]
    command("train", "pretrain_jepa", "--data-dir", str(data), "--run-dir", str(folder), *changes)
    return Run(folder)


def tags(run: Run) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    with (run.folder / "history.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["tag"], []).append(float(row["value"]))
    return found


def test_history_has_the_probe_and_the_spread_of_every_epoch(pretrained: Run) -> None:
    found = tags(pretrained)
    for tag in ("val/loss", "probe/auc", "ssl/feature_std", "ssl/cosine", "ssl/effective_rank", "ssl/uniformity"):
        assert len(found[tag]) == 2, tag
    assert all(0.5 < value < 1.0 for value in found["probe/auc"]) and {
        "train/loss",
        "train/prediction",
        "train/whole",
    } <= set(found)
    assert pretrained.metrics["best_epoch"] == 1 + found["probe/auc"].index(max(found["probe/auc"]))


def test_metrics_tell_what_validation_found_at_the_best_epoch_and_null_for_scores(pretrained: Run) -> None:
    found, splits = tags(pretrained), pretrained.metrics["splits"]
    best = pretrained.metrics["best_epoch"] - 1
    assert [splits[name]["n_events"] for name in splits] == [
        pretrained.plan["events"][name] for name in ("validation", "test")
    ]
    assert (
        splits["validation"]["probe_auc"] == found["probe/auc"][best]
        and splits["validation"]["loss"] == found["val/loss"][best]
    )
    assert all(
        entry[name] is None
        for entry in splits.values()
        for name in ("auc", "auc_error", "accuracy", "rejection", "significance")
    )
    assert splits["test"]["loss"] is None


def test_other_files_have_no_scores_without_labels(pretrained: Run, data: Path) -> None:
    with pytest.raises(InputError, match="trained without labels"):
        evaluate(pretrained.folder, files=["WH=WH.root", "ZH=ZH.root"], data_dir=data)


def test_a_jepa_whose_target_is_the_encoder_collapses_and_the_run_says_so(
    data: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Momentum 0 and targets as they come: what is easiest to predict is a constant."""
    model = "model={name: particle_transformer, dim: 16, n_head: 2, n_block: 1, embedding: [16], pair_hidden: [8]}"
    settings = (
        JETS,
        "data.split={train: 0.6, validation: 0.3, test: 0.1}",
        model,
        "objective.momentum=[0, 0]",
        "objective.normalise=none",
        "objective.loss=mse",
        "optim.lr=5e-2",
        "optim.schedule=constant",
        "optim.warmup=0",
        "train.batch_size=16",
        "train.max_epochs=6",
        "train.on_collapse=stop",
    )
    with caplog.at_level(logging.WARNING, logger="root_gnn"):
        run = train("pretrain_pjepa", overrides=settings, data_dir=data, run_dir=tmp_path / "run")
    assert "pretrain_pjepa has collapsed: after epoch" in caplog.text and "Training ends here" in caplog.text
    assert len(tags(run)["ssl/cosine"]) < 6 and max(tags(run)["ssl/cosine"]) > 0.999


def test_finetuning_starts_from_its_encoder(pretrained: Run, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tuned"
    command(
        "finetune",
        "--task",
        "WHvsZH",
        "--from",
        str(pretrained.folder),
        "--mode",
        "frozen",
        "--train-events",
        "200",
        "--data-dir",
        str(data),
        "--run-dir",
        str(folder),
        "--set",
        "train.max_epochs=1",
        "--set",
        "train.batch_size=64",
    )
    tuned = Run(folder)
    own = dict(tuned.encoder.named_parameters())
    assert all(torch.equal(value, own[name]) for name, value in pretrained.encoder.named_parameters())
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert plan["loaded"] and all(name.startswith(("predictor.", "target.", "from_whole.")) for name in plan["skipped"])
    assert 0.0 < tuned.metrics["splits"]["test"]["auc"] < 1.0


def test_a_codebook_is_fitted_before_training_and_read_back(data: Path, tmp_path: Path) -> None:
    settings = (*TINY, "objective.tokens=16", "train.max_steps=2")
    run = train("pretrain_masked_particles", overrides=settings, data_dir=data, run_dir=tmp_path / "run")
    book = run.objective.codebook
    assert bool(book.is_fitted) and len(torch.unique(book.centres, dim=0)) == 16


def test_labels_are_not_needed(data: Path, tmp_path: Path) -> None:
    text = (
        "name: plain\nseed: 1\ndata: {spec: events.yaml, files: [WH.root, ttbar.root]}\nmodel: {name: "
        "encode_process_decode, dim: 8}\n"
    )
    recipe = tmp_path / "plain.yaml"
    recipe.write_text(
        text + "objective: {name: jepa}\noptim: {}\ntrain: {max_steps: 3, batch_size: 64}\n", encoding="utf-8"
    )
    run = train(recipe, data_dir=data, run_dir=tmp_path / "run")
    assert "probe/auc" not in tags(run) and len(tags(run)["ssl/cosine"]) == 1


def test_a_monitor_that_is_not_measured_is_refused(data: Path) -> None:
    from root_gnn.config.loader import load
    from root_gnn.config.shipped import find

    recipe = load(Recipe, find("pretrain_jepa", "recipe"), (*TINY, "train.monitor=probe/acc"))
    with pytest.raises(InputError, match="probe/auc"):
        TrainingSetup(recipe, data_dir=data)
