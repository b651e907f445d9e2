"""Trainings by torchrun, of two processes on this machine: the same curve as one, and lost, stopped and started
again.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from root_gnn.runs.run import Run
from root_gnn.runs.train import train

SCRIPTS = Path(__file__).parents[2] / "scripts"
BIN = Path(sys.executable).parent
RECIPE = """
name: small
seed: 3
data: {spec: events, classes: {WH: WH.root, ZH: ZH.root, ttH: ttH.root}, max_events: 150}
model: {name: encode_process_decode, dim: 8, n_steps: 1, dropout: 0.0}
objective: {name: multiclass, head: {name: mlp, dropout: 0.0}}
optim: {lr: 1e-3}
train: {max_epochs: 3, max_steps: 50, batch_size: 16, log_every: 1}
"""
OBJECTIVES = {
    "supervised": "{name: multiclass, head: {name: mlp, dropout: 0.0}}",
    "contrastive": "{name: contrastive}",
    "jepa": "{name: jepa, momentum: [0.9, 1.0]}",
    # nothing is asked of the encoder's globals
    "jepa of nodes alone": "{name: jepa, whole: 0.0, variance: 0.0, covariance: 0.0}",
}
DROPOUT = "model.dropout=0.3"
SMALL_TRANSFORMER = "model={name: graph_transformer, dim: 16, n_head: 2, dropout: 0.3}"
SECOND_EPOCH = 27  # 20 steps an epoch


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def options(recipe: Path, data_dir: Path, run_dir: Path, *overrides: str) -> list[str]:
    return [str(recipe), "--data-dir", str(data_dir), "--run-dir", str(run_dir), *(f"--set={one}" for one in overrides)]


def torchrun(*more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        *more,
        "-m",
        "root_gnn",
        "train",
    ]


def history(run_dir: Path) -> dict[tuple[str, str], list[float]]:
    """Values by step and tag, but for how fast the machine was; a list, so that a row that came twice is seen."""
    found: dict[tuple[str, str], list[float]] = {}
    with (run_dir / "history.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["tag"] != "train/events_per_s":
                found.setdefault((row["step"], row["tag"]), []).append(float(row["value"]))
    return found


def n_step(run_dir: Path) -> int:
    path = run_dir / "history.csv"
    rows = path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else []
    return max((int(row.split(",")[1]) for row in rows if row.count(",") == 3), default=0)


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return state


def assert_same(one: Path, other: Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    assert history(one) == history(other)


def process_of(parent: int, rank: int) -> int:
    """The process that torchrun, `parent` or below it, has started as this rank."""
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "environ").read_bytes().split(b"\0")
            line = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            above = (Path("/proc") / line[1] / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
        except OSError:
            continue
        if f"RANK={rank}".encode() in words and str(parent) in (line[1], above):
            return int(entry.name)
    raise AssertionError(f"there is no rank {rank}")


@contextmanager
def running(command: list[str], run_dir: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A training that has come to its second epoch."""
    process = subprocess.Popen(command, env={**environment(), **more}, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while n_step(run_dir) < SECOND_EPOCH and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def unbroken(recipe: Path, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "unbroken"
    done = subprocess.run(
        [*torchrun(), *options(recipe, data_dir, run_dir, DROPOUT)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("test AUC") == 1, "two processes train, and one evaluates and tells"
    return run_dir


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "tolerance"), [("f64", 1e-5), ("32", 1e-3)])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_two_processes_have_the_curve_of_one(
    objective: str,
    precision: str,
    tolerance: float,
    recipe: Path,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    """50 steps at the same global batch, the last of each epoch smaller; what is drawn is drawn by event, and there is
    no dropout.
    """
    overrides = (f"objective={OBJECTIVES[objective]}", f"train.precision={precision}")
    one = train(recipe, overrides=overrides, data_dir=data_dir, run_dir=tmp_path / "one")
    subprocess.run(
        [*torchrun(), *options(recipe, data_dir, tmp_path / "two", *overrides)],
        check=True,
        env=environment(),
        stderr=subprocess.DEVNULL,
    )
    alone, together = history(one.folder), history(tmp_path / "two")
    assert alone.keys() == together.keys() and sum(tag == "train/loss" for _, tag in alone) == 50
    for _, tag in alone:
        if tag.endswith("loss"):
            values = [
                np.array([each for key, row in found.items() if key[1] == tag for each in row])
                for found in (alone, together)
            ]
            assert np.allclose(values[1], values[0], rtol=tolerance, atol=0.0), tag
    splits = [
        {name: split["n_events"] for name, split in run.metrics["splits"].items()}
        for run in (one, Run(tmp_path / "two"))
    ]
    assert splits[0] == splits[1], "no event is counted twice to fill a part up"


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_sharded_weights_have_the_curve_of_one_process(
    objective: str, recipe: Path, data_dir: Path, tmp_path: Path
) -> None:
    overrides = (
        "model={name: graph_transformer, dim: 16, n_head: 2, dropout: 0.0}",
        f"objective={OBJECTIVES[objective]}",
        "train={max_epochs: 3, max_steps: 50, batch_size: 16, log_every: 1, precision: f64, strategy: fsdp}",
    )
    one = train(recipe, overrides=overrides, data_dir=data_dir, run_dir=tmp_path / "one")
    subprocess.run(
        [*torchrun(), *options(recipe, data_dir, tmp_path / "two", *overrides)],
        check=True,
        env=environment(),
        stderr=subprocess.DEVNULL,
    )
    alone, together = history(one.folder), history(tmp_path / "two")
    assert alone.keys() == together.keys()
    for key in alone:
        if key[1].endswith(("loss", "grad_norm")):
            assert np.allclose(together[key], alone[key], rtol=1e-9, atol=0.0), key
    whole = torch.load(tmp_path / "two" / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert {name: value.shape for name, value in whole.items()} == {
        name: value.shape for name, value in weights(one.folder).items()
    }


@pytest.mark.slow
def test_sharded_weights_are_stopped_and_gone_on_with(recipe: Path, data_dir: Path, tmp_path: Path) -> None:
    def command(name: str) -> list[str]:
        return [*torchrun(), *options(recipe, data_dir, tmp_path / name, "train.strategy=fsdp", SMALL_TRANSFORMER)]

    subprocess.run(command("unbroken"), check=True, env=environment(), stderr=subprocess.DEVNULL)
    with running(command("run"), tmp_path / "run") as process:
        to_torchrun(process)
        _, told = process.communicate(timeout=120)
    assert "Stopped by SIG" in told and "saved." in told
    subprocess.run([*command("run"), "--resume"], check=True, env=environment(), stderr=subprocess.DEVNULL)
    assert_same(tmp_path / "run", tmp_path / "unbroken")


@pytest.mark.slow
def test_a_lost_process_ends_the_job_and_the_next_one_ends_as_if_nothing_had_been(
    recipe: Path,
    data_dir: Path,
    unbroken: Path,
    tmp_path: Path,
) -> None:
    command = [*torchrun(), *options(recipe, data_dir, tmp_path / "run", DROPOUT)]
    with running(command, tmp_path / "run") as process:
        os.kill(process_of(process.pid, 1), signal.SIGKILL)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert (
        "Another process of this training has ended" in told
        and "Go on with: root-gnn train" in told
        and "SIGKILL" in told
    )
    subprocess.run([*command, "--resume"], check=True, env=environment(), stderr=subprocess.DEVNULL)
    assert_same(tmp_path / "run", unbroken)


@pytest.mark.slow
def test_torchrun_starts_a_lost_process_again(recipe: Path, data_dir: Path, unbroken: Path, tmp_path: Path) -> None:
    with running(
        [*torchrun("--max-restarts", "1"), *options(recipe, data_dir, tmp_path / "run", DROPOUT)], tmp_path / "run"
    ) as process:
        os.kill(process_of(process.pid, 0), signal.SIGKILL)
        _, told = process.communicate(timeout=600)
    assert process.returncode == 0, told
    assert_same(tmp_path / "run", unbroken)


def to_torchrun(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)


def to_one_rank(process: subprocess.Popen[str]) -> None:
    os.kill(process_of(process.pid, 1), signal.SIGUSR1)


@pytest.mark.slow
@pytest.mark.parametrize("tell", [to_torchrun, to_one_rank])
def test_told_to_stop_it_saves_at_once_and_goes_on(
    tell: Callable[[subprocess.Popen[str]], None],
    recipe: Path,
    data_dir: Path,
    unbroken: Path,
    tmp_path: Path,
) -> None:
    command = [*torchrun(), *options(recipe, data_dir, tmp_path / "run", DROPOUT)]
    with running(command, tmp_path / "run") as process:
        begin = time.time()
        tell(process)
        _, told = process.communicate(timeout=120)
    assert process.returncode == 1, "torchrun's own, whatever its processes leave with"
    assert "Stopped by SIG" in told and "saved." in told
    assert 0.0 < (tmp_path / "run" / "checkpoints" / "last.ckpt").stat().st_mtime - begin < 10.0
    subprocess.run([*command, "--resume"], check=True, env=environment(), stderr=subprocess.DEVNULL)
    assert_same(tmp_path / "run", unbroken)


@pytest.mark.slow
@pytest.mark.parametrize(("how", "n_process"), [(signal.SIGTERM, "2"), (signal.SIGUSR1, "2"), (signal.SIGUSR1, "1")])
def test_a_batch_system_is_told_by_the_exit_code(
    how: signal.Signals,
    n_process: str,
    recipe: Path,
    data_dir: Path,
    unbroken: Path,
    tmp_path: Path,
) -> None:
    """What HTCondor takes for a checkpoint, 85, where asked for; started again with the same words, it goes on."""
    command = [str(SCRIPTS / "train_preemptible"), *options(recipe, data_dir, tmp_path / "run", DROPOUT)]
    with running(command, tmp_path / "run", N_PROCESS=n_process, VACATED="85") as process:
        process.send_signal(how)
        _, told = process.communicate(timeout=120)
    assert process.returncode == 85, told
    if n_process == "2":
        assert (
            subprocess.run(
                command, env={**environment(), "N_PROCESS": "2"}, check=False, capture_output=True
            ).returncode
            == 0
        )
        assert_same(tmp_path / "run", unbroken)


@pytest.fixture
def slurm(tmp_path: Path) -> Path:
    """Programs of Slurm's names: srun notes its words, then waits for a signal where the file `long` is there."""
    (tmp_path / "srun").write_text(
        f'#!/bin/bash\necho "$@" > {tmp_path}/words\n[ -e {tmp_path}/long ] || exit 3\n'
        f"trap 'echo USR1 > {tmp_path}/got; exit 143' USR1\ntrap 'echo TERM > {tmp_path}/got; exit 143' TERM\n"
        f"touch {tmp_path}/waits\nwhile :; do sleep 0.05; done\n",
        encoding="utf-8",
    )
    (tmp_path / "scontrol").write_text(f'#!/bin/bash\necho "$@" > {tmp_path}/again\n', encoding="utf-8")
    for name in ("srun", "scontrol"):
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(("how", "again"), [(signal.SIGUSR1, True), (signal.SIGTERM, False)])
def test_a_slurm_job_is_queued_again_when_its_time_runs_out_and_not_when_it_is_cancelled(
    how: signal.Signals,
    again: bool,
    slurm: Path,
) -> None:
    (slurm / "long").touch()
    job = {**os.environ, "PATH": f"{slurm}{os.pathsep}{os.environ['PATH']}", "SLURM_JOB_ID": "17"}
    process = subprocess.Popen([str(SCRIPTS / "submit_slurm.sh"), "recipe.yaml", "--set", "seed=2"], env=job)
    while not (slurm / "waits").exists():
        time.sleep(0.02)
    process.send_signal(how)
    assert process.wait(timeout=30) == 143
    assert (slurm / "got").read_text(encoding="utf-8").strip() == how.name.removeprefix("SIG")
    assert (slurm / "words").read_text(encoding="utf-8").split()[1:] == [
        "root-gnn",
        "train",
        "recipe.yaml",
        "--set",
        "seed=2",
        "--resume",
    ]
    assert (slurm / "again").exists() == again


def test_a_slurm_job_that_fails_is_not_queued_again(slurm: Path) -> None:
    job = {**os.environ, "PATH": f"{slurm}{os.pathsep}{os.environ['PATH']}", "SLURM_JOB_ID": "17"}
    assert subprocess.run([str(SCRIPTS / "submit_slurm.sh"), "recipe.yaml"], env=job, check=False).returncode == 3
    assert not (slurm / "again").exists()
