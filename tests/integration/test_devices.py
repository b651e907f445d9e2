"""Several processes and bf16: the same recipe, the same training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from root_gnn.pipeline import train
from root_gnn.run import Run

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
        run = [sys.executable, "-m", "root_gnn.cli", "train", str(recipe), "--data-dir", str(data_dir),
               "--run-dir", str(tmp_path / str(devices)), "--set", f"train.devices={devices}"]
        subprocess.run(run, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300)
    one, two = Run(tmp_path / "1"), Run(tmp_path / "2")
    assert np.allclose(one.history["val/loss"], two.history["val/loss"], rtol=1e-4)
    assert one.metrics["splits"]["test"]["n_events"] == two.metrics["splits"]["test"]["n_events"]


def test_accumulated_steps_equal_whole_ones(recipe: Path, data_dir: Path, tmp_path: Path) -> None:
    """32 graphs of one step, at once or in two parts of 16; the order of events is that of the parts, so only the count is the same."""
    runs = [
        train(recipe, overrides=(f"train.accumulate={parts}",), data_dir=data_dir, run_dir=tmp_path / str(parts)) for parts in (1, 2)
    ]
    last = [run.history["train/loss"][-1, 1] for run in runs]
    assert last[0] == last[1]


def test_bf16_trains_and_stays_near_float32(recipe: Path, data_dir: Path, tmp_path: Path) -> None:
    runs = [train(recipe, overrides=(f"train.precision={kind}",), data_dir=data_dir, run_dir=tmp_path / kind) for kind in ("32", "bf16")]
    losses = [run.history["val/loss"][-1, 2] for run in runs]
    assert np.isfinite(losses[1]) and abs(losses[0] - losses[1]) < 0.02
