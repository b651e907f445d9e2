"""Run folders and packed runs that version 0.1.0 wrote are read, predicted with, evaluated and finetuned from."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import root_gnn as rg

# Probabilities in single precision after some ten layers: processors that add in another order move them by some 1e-7.
ROUNDING = 1e-5
SCORES = ("score_WH", "score_ZH", "score_ttH")
KINDS = ("folder", "packed")
SHORT = ("train.max_epochs=1", "train.max_steps=1", "train.batch_size=32")


@pytest.fixture(scope="module")
def kept(data_dir: Path) -> Path:
    """The folder of the fixtures, which no test may change."""
    return data_dir / "run_0_1"


@pytest.fixture(params=KINDS)
def old(request: pytest.FixtureRequest, kept: Path) -> Path:
    """The run as a folder, and in one file."""
    return kept / ("pretrain_small" if request.param == "folder" else "pretrain_small.safetensors")


def columns(path: Path) -> dict[str, np.ndarray]:
    table = pq.read_table(path)
    return {name: table[name].to_numpy() for name in table.column_names}


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_its_settings_figures_and_weights_are_read(old: Path, kept: Path) -> None:
    run = rg.load_run(old)
    assert run.name == "pretrain_small"
    assert run.encoder.dim == 8 and run.recipe.train.max_epochs == 3
    assert run.metrics == json.loads((kept / "pretrain_small" / "metrics.json").read_text(encoding="utf-8"))
    losses = run.history["val/loss"][:, -1]
    assert len(losses) == 3 and run.metrics["best_epoch"] == 1 + int(losses.argmin())
    stored = torch.load(kept / "pretrain_small" / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    expected = {name.removeprefix("objective."): value for name, value in stored.items()}
    found = run.objective.state_dict()
    assert found.keys() == expected.keys() and all(torch.equal(found[name], value) for name, value in expected.items())


def test_its_encoder_represents_events(old: Path, data_dir: Path) -> None:
    encoder = rg.load_encoder(old)
    spec = rg.load_run(old).spec
    batch = rg.build_graphs(rg.read(data_dir / "ttH.root", spec, stop=20), spec)
    with torch.no_grad():
        z = encoder(batch).globals
    assert z.shape == (20, 8) and bool(torch.isfinite(z).all())


def test_its_scores_are_those_of_its_day(
    old: Path, kept: Path, data_dir: Path, tmp_path: Path, leave: Callable[..., int]
) -> None:
    assert leave("predict", str(old), str(data_dir / "ttH.root"), "--out", str(tmp_path), "--format", "parquet") == 0
    found, expected = columns(tmp_path / "ttH.scores.parquet"), columns(kept / "ttH.scores.parquet")
    assert len(found["eventNumber"]) == 300 and np.array_equal(found["eventNumber"], expected["eventNumber"])
    assert np.array_equal(found["status"], expected["status"])
    for name in SCORES:
        assert expected[name].std() > 1000 * ROUNDING
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=ROUNDING)


def test_an_evaluation_gives_the_figures_of_its_day(
    kept: Path, data_dir: Path, tmp_path: Path, leave: Callable[..., int]
) -> None:
    folder = Path(shutil.copytree(kept / "pretrain_small", tmp_path / "pretrain_small"))
    for path in (folder / "predictions").iterdir():
        path.unlink()
    assert leave("evaluate", str(folder), "--data-dir", str(data_dir)) == 0
    for split in ("validation", "test"):
        name = Path("predictions") / f"{split}.parquet"
        found, expected = columns(folder / name), columns(kept / "pretrain_small" / name)
        assert np.array_equal(found["eventNumber"], expected["eventNumber"]) and np.array_equal(
            found["label"], expected["label"]
        )
        for score in SCORES:
            np.testing.assert_allclose(found[score], expected[score], rtol=0, atol=ROUNDING)
    now, then = (
        json.loads((place / "metrics.json").read_text(encoding="utf-8")) for place in (folder, kept / "pretrain_small")
    )
    for split, figures in then["splits"].items():
        assert now["splits"][split]["n_events"] == figures["n_events"]
        # A pair of events that changes order moves the area by 1 / (n_signal * n_background), a few times 1e-4 here.
        assert now["splits"][split]["auc"] == pytest.approx(figures["auc"], abs=1e-3)
        assert now["splits"][split]["loss"] == pytest.approx(figures["loss"], abs=100 * ROUNDING)


def test_it_is_finetuned_from_on_the_command_line(
    old: Path, data_dir: Path, tmp_path: Path, leave: Callable[..., int]
) -> None:
    settings = [word for one in SHORT for word in ("--set", one)]
    task = ("--task", "WHvsZH", "--from", str(old), "--mode", "frozen", "--train-events", "40")
    folders = ("--data-dir", str(data_dir), "--run-dir", str(tmp_path / "tuned"))
    assert leave("finetune", *task, *settings, *folders) == 0
    tuned = rg.load_run(tmp_path / "tuned")
    ours, theirs = tuned.encoder.state_dict(), rg.load_encoder(old).state_dict()
    assert tuned.plan["source"] == "pretrain_small" and tuned.plan["loaded"] and ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_it_is_finetuned_from_in_python(old: Path, data_dir: Path, tmp_path: Path) -> None:
    encoder, folder = rg.load_encoder(old), tmp_path / "tuned"
    tuned = rg.finetune("WHvsZH", encoder=encoder, train_events=40, overrides=SHORT, data_dir=data_dir, run_dir=folder)
    weights, before = dict(tuned.encoder.named_parameters()), dict(rg.load_encoder(old).named_parameters())
    assert any(not torch.equal(weights[name], value) for name, value in before.items())
    # One step of AdamW moves a weight by the rate at most (a tenth of 1e-3 for the backbone), and by its decay.
    assert all(
        (weights[name] - value).abs().max() <= 1.1e-4 * (1 + 0.01 * value.abs().max()) for name, value in before.items()
    )


def test_a_packed_run_unpacks_into_the_folder(kept: Path, tmp_path: Path, leave: Callable[..., int]) -> None:
    assert leave("pack", "--unpack", str(kept / "pretrain_small.safetensors"), "--out", str(tmp_path / "back")) == 0
    for name in (
        "config.yaml",
        "spec.yaml",
        "scaling.json",
        "plan.json",
        "versions.json",
        "metrics.json",
        "history.csv",
    ):
        assert (tmp_path / "back" / name).read_bytes() == (kept / "pretrain_small" / name).read_bytes()


def test_reading_changes_nothing(kept: Path, data_dir: Path, tmp_path: Path, leave: Callable[..., int]) -> None:
    before = contents(kept)
    assert leave("predict", str(kept / "pretrain_small"), str(data_dir / "ttH.root"), "--out", str(tmp_path)) == 0
    assert contents(kept) == before
