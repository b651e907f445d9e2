"""Several processes: losses and gradients against those of one process; number of processes, seeds, lost peers."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from root_gnn.errors import InputError
from root_gnn.training.config import TrainConfig
from root_gnn.training.processes import is_restarted, processes, rejoin_process_group, report_lost_peer, seed_of

WORLD = 2


def test_two_processes_make_the_gradients_of_one(tmp_path: Path) -> None:
    """In float64, with 6 graphs in this process and 5 in another; gradients are averaged over both as by DDP."""
    script = Path(__file__).with_name("rank.py")
    rank = runpy.run_path(str(script))
    alone: dict[str, torch.Tensor] = rank["losses_and_gradients"](0, 1)
    other = subprocess.Popen([sys.executable, str(script), str(tmp_path), "1", str(WORLD)])
    try:
        together: dict[str, torch.Tensor] = rank["with_the_others"](tmp_path, 0, WORLD)
        assert other.wait(timeout=60) == 0
    finally:
        other.kill()
    assert alone.keys() == together.keys() and len(alone) > 60
    different = {name: float((alone[name] - together[name]).abs().max()) for name in alone}
    wrong = {
        name: value for name, value in different.items() if not value < 1e-11 * max(1.0, float(alone[name].abs().max()))
    }
    assert not wrong
    n_nonzero = sum(bool(value.abs().max() > 1e-6) for value in alone.values())
    assert n_nonzero > 0.9 * len(alone), "most gradients are zero, so that the comparison says little"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that no launcher has touched."""
    for name in (
        "TORCHELASTIC_RUN_ID",
        "TORCHELASTIC_RESTART_COUNT",
        "SLURM_STEP_NUM_TASKS",
        "SLURM_STEP_NUM_NODES",
        "SLURM_NTASKS",
    ):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_launcher_knows_how_many_there_are(started: pytest.MonkeyPatch) -> None:
    assert processes(TrainConfig(devices=3, num_nodes=2)) == (3, 2)
    started.setenv("SLURM_NTASKS", "8")
    assert processes(TrainConfig()) == (1, 1), "a batch script without srun is one process"
    started.setenv("SLURM_STEP_NUM_TASKS", "8")
    started.setenv("SLURM_STEP_NUM_NODES", "2")
    assert processes(TrainConfig()) == processes(TrainConfig(devices=4, num_nodes=2)) == (4, 2)
    started.setenv("SLURM_STEP_NUM_TASKS", "7")
    with pytest.raises(InputError, match="7 tasks on 2 nodes"):
        processes(TrainConfig())
    for name, value in (("TORCHELASTIC_RUN_ID", "none"), ("LOCAL_WORLD_SIZE", "2"), ("WORLD_SIZE", "6")):
        started.setenv(name, value)
    assert processes(TrainConfig()) == (2, 3)
    with pytest.raises(InputError, match=r"train\.devices is 4 .* 2 processes were started on each of 3"):
        processes(TrainConfig(devices=4))


def test_a_process_that_torchrun_started_again_goes_on(started: pytest.MonkeyPatch) -> None:
    assert not is_restarted()
    started.setenv("TORCHELASTIC_RESTART_COUNT", "0")
    assert not is_restarted()
    started.setenv("TORCHELASTIC_RESTART_COUNT", "2")
    assert is_restarted()


def test_seeds_differ_by_process_and_the_first_has_the_recipes() -> None:
    assert seed_of(7, 0) == 7
    assert len({seed_of(seed, rank) for seed in range(20) for rank in range(50)}) == 20 * 50


def test_a_lost_process_is_told_in_words_and_other_errors_are_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR", logger="root_gnn")
    with pytest.raises(SystemExit) as left, report_lost_peer():
        raise RuntimeError("[gloo/transport/tcp/pair.cc:537] Read error: Connection reset by peer")
    assert left.value.code == 1
    with pytest.raises(RuntimeError, match="shapes"), report_lost_peer():
        raise RuntimeError("shapes cannot be multiplied")


def test_restarts_on_several_nodes_want_a_new_table_of_addresses(started: pytest.MonkeyPatch) -> None:
    rejoin_process_group()
    values = {"RUN_ID": "x", "RESTART_COUNT": "1", "USE_AGENT_STORE": "True"}
    for name, value in {
        **{f"TORCHELASTIC_{name}": value for name, value in values.items()},
        "RANK": "1",
        "WORLD_SIZE": "4",
    }.items():
        started.setenv(name, value)
    started.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(InputError, match="TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1"):
        rejoin_process_group()
    started.setenv("TORCHELASTIC_USE_AGENT_STORE", "False")
    rejoin_process_group()
