"""Several processes and bf16: the same recipe, the same training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from root_gnn.errors import InputError
from root_gnn.runs.run import Run
from root_gnn.runs.train import train

RECIPE = """
name: small
seed: 3
data: {spec: events, classes: {WH: WH.root, ZH: ZH.root}, max_events: 150}
model: {name: encode_process_decode, dim: 8, n_steps: 1, dropout: 0.0}
objective: {name: multiclass, head: {name: mlp, dropout: 0.0}}
optim: {lr: 1e-3}
train: {max_epochs: 2, batch_size: 32, log_every: 1}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.mark.slow
def test_two_processes_train_as_one(recipe: Path, data_dir: Path, tmp_path: Path) -> None:
    for devices in (1, 2):
        run = [
            sys.executable,
            "-m",
            "root_gnn",
            "train",
            str(recipe),
            "--data-dir",
            str(data_dir),
            "--run-dir",
            str(tmp_path / str(devices)),
            "--set",
            f"train.devices={devices}",
        ]
        subprocess.run(run, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300)
    one, two = Run(tmp_path / "1"), Run(tmp_path / "2")
    assert np.allclose(one.history["val/loss"], two.history["val/loss"], rtol=1e-4)
    assert one.metrics["splits"]["test"]["n_events"] == two.metrics["splits"]["test"]["n_events"]


@pytest.mark.slow
def test_two_processes_pretrain_as_one(recipe: Path, data_dir: Path, tmp_path: Path) -> None:
    """J-JEPA's distributed path could not start. Targets are drawn by event, so two processes hide what one does."""
    objective = "objective={name: jepa, momentum: [0.5, 1.0]}"
    for devices in (1, 2):
        run = [
            sys.executable,
            "-m",
            "root_gnn",
            "train",
            str(recipe),
            "--data-dir",
            str(data_dir),
            "--set",
            objective,
            "--run-dir",
            str(tmp_path / str(devices)),
            "--set",
            f"train.devices={devices}",
            "--set",
            "train.max_epochs=1",
        ]
        subprocess.run(run, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300)
    one, two = Run(tmp_path / "1"), Run(tmp_path / "2")
    assert np.allclose(
        one.history["val/loss"], two.history["val/loss"], rtol=2e-2
    )  # a process averages over its own targets
    assert np.allclose(one.history["ssl/cosine"], two.history["ssl/cosine"], atol=1e-2)


def test_accumulated_steps_equal_whole_ones(recipe: Path, data_dir: Path, tmp_path: Path) -> None:
    """40 graphs of one step, at once or in two parts of 20, are the same graphs and the same step; 200 graphs an
    epoch.
    """
    one, two = (
        train(
            recipe,
            overrides=("train.batch_size=40", f"train.accumulate={parts}"),
            data_dir=data_dir,
            run_dir=tmp_path / str(parts),
        )
        for parts in (1, 2)
    )
    assert one.plan["events"]["train"] == 200
    for tag in ("train/loss", "train/grad_norm", "val/loss", "lr/head"):
        assert np.allclose(one.history[tag], two.history[tag], rtol=2e-3), tag


def test_a_step_that_does_not_divide_into_its_parts_is_refused(recipe: Path, data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="batch_size 32 is not a multiple of accumulate 3"):
        train(recipe, overrides=("train.accumulate=3",), data_dir=data_dir, run_dir=tmp_path / "run")


def test_bf16_trains_and_stays_near_float32(recipe: Path, data_dir: Path, tmp_path: Path) -> None:
    runs = [
        train(recipe, overrides=(f"train.precision={kind}",), data_dir=data_dir, run_dir=tmp_path / kind)
        for kind in ("32", "bf16")
    ]
    losses = [run.history["val/loss"][-1, 2] for run in runs]
    assert np.isfinite(losses[1]) and abs(losses[0] - losses[1]) < 0.02
