"""A run that is killed at any moment and resumed ends as if nothing had happened, bit for bit."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

RECIPE = """
name: small
seed: 3
data:
  spec: events
  classes: {WH: WH.root, ZH: ZH.root, ttH: ttH.root}
  augmentations: [rotate_phi, reflect_eta]
  max_events: 150
model: {name: encode_process_decode, dim: 8, n_steps: 1, dropout: 0.3}
objective: {name: multiclass, head: mlp}
optim: {lr: 1e-3}
train: {max_epochs: 3, batch_size: 16, log_every: 1}
"""
N_STEP_PER_EPOCH = 20  # 70 % of 450 events in batches of 16


def command(recipe: Path, data_dir: Path, run_dir: Path, *more: str) -> list[str]:
    start = "import sys; from root_gnn.cli.app import main; sys.exit(main())"
    return [
        sys.executable,
        "-c",
        start,
        "train",
        str(recipe),
        "--data-dir",
        str(data_dir),
        "--run-dir",
        str(run_dir),
        *more,
    ]


def steps_written(run_dir: Path) -> int:
    path = run_dir / "history.csv"
    if not path.exists():
        return 0
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:] if line.count(",") == 3]
    return max((int(row[1]) for row in rows), default=0)


def kill_at(step: int, run: list[str], run_dir: Path, how: signal.Signals) -> int:
    """Starts the run, sends a signal once `step` optimiser steps are in its history, and returns its exit code."""
    process = subprocess.Popen(run, env=environment(), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while steps_written(run_dir) < step and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(how)
    return process.wait(timeout=120)


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return state


def rows(run_dir: Path) -> list[tuple[str, ...]]:
    """The history without the figures that tell how fast the machine was."""
    with (run_dir / "history.csv").open(encoding="utf-8") as file:
        return [tuple(row.values()) for row in csv.DictReader(file) if row["tag"] != "train/events_per_s"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def unbroken(recipe: Path, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "unbroken"
    subprocess.run(command(recipe, data_dir, run_dir), check=True, env=environment(), stderr=subprocess.DEVNULL)
    return run_dir


def assert_same(one: Path, other: Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert rows(one) == rows(other)
    assert len(set(rows(one))) == len(rows(one))


@pytest.mark.parametrize(
    ("step", "more"),
    [
        pytest.param(3, (), id="before the first checkpoint"),
        pytest.param(N_STEP_PER_EPOCH + 7, (), id="in the second epoch"),
        pytest.param(
            N_STEP_PER_EPOCH + 9, ("--set", "train.checkpoint_every=4"), id="within an epoch, saved within it"
        ),
    ],
)
def test_killed_and_resumed_equals_unbroken(
    step: int,
    more: tuple[str, ...],
    recipe: Path,
    data_dir: Path,
    unbroken: Path,
    tmp_path: Path,
) -> None:
    run_dir = tmp_path / "killed"
    run = command(recipe, data_dir, run_dir, *more)
    assert kill_at(step, run, run_dir, signal.SIGKILL) == -signal.SIGKILL
    subprocess.run([*run, "--resume"], check=True, env=environment(), stderr=subprocess.DEVNULL)
    assert_same(run_dir, unbroken)
    assert (run_dir / "metrics.json").exists()


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (signal.SIGTERM, 143),
        (signal.SIGINT, 130),
        pytest.param(signal.SIGUSR1, 143, marks=pytest.mark.slow),
    ],
)
def test_told_to_end_it_saves_and_does_not_pretend(
    how: signal.Signals,
    code: int,
    recipe: Path,
    data_dir: Path,
    unbroken: Path,
    tmp_path: Path,
) -> None:
    run_dir = tmp_path / "stopped"
    run = command(recipe, data_dir, run_dir)
    assert kill_at(N_STEP_PER_EPOCH // 2, run, run_dir, how) == code
    assert (run_dir / "checkpoints" / "last.ckpt").exists()
    assert not (run_dir / "metrics.json").exists()
    subprocess.run([*run, "--resume"], check=True, env=environment(), stderr=subprocess.DEVNULL)
    assert_same(run_dir, unbroken)


def test_an_existing_run_is_not_touched_unless_asked(recipe: Path, data_dir: Path, unbroken: Path) -> None:
    before = (unbroken / "metrics.json").read_bytes()
    again = subprocess.run(
        command(recipe, data_dir, unbroken), env=environment(), capture_output=True, text=True, check=False
    )
    assert again.returncode == 2
    assert "--resume" in again.stderr and "--overwrite" in again.stderr
    other = command(recipe, data_dir, unbroken, "--set", "optim.lr=0.5", "--resume")
    assert subprocess.run(other, env=environment(), capture_output=True, check=False).returncode == 2
    finished = subprocess.run(
        [*command(recipe, data_dir, unbroken), "--resume"], env=environment(), capture_output=True, check=False
    )
    assert finished.returncode == 0
    assert (unbroken / "metrics.json").read_bytes() == before
