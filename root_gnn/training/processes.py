"""Who trains together: processes that torchrun or srun has started, or that Lightning starts itself."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

from root_gnn.console import log
from root_gnn.errors import InputError
from root_gnn.training.config import TrainConfig

LOST = ("gloo", "NCCL", "Connection closed by peer", "Connection reset by peer", "Socket closed")


def processes(train: TrainConfig) -> tuple[int, int]:
    """Processes on each node, and nodes: what torchrun or srun has started, else what the recipe asks for.

    Raises InputError where the recipe asks for another number than was started.
    """
    asked = (train.devices, train.num_nodes)
    found = _started()
    if found is None:
        return asked
    if asked not in ((1, 1), found):
        raise InputError(
            f"train.devices is {asked[0]} and train.num_nodes {asked[1]}, but {found[0]} processes were started on each of {found[1]} "
            "nodes. Leave both keys out: the launcher knows."
        )
    return found


def _started() -> tuple[int, int] | None:
    if "TORCHELASTIC_RUN_ID" in os.environ:
        here, total = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
        return here, total // here
    if (
        "SLURM_STEP_NUM_TASKS" in os.environ
    ):  # srun sets it; a batch script without srun is one process, whatever was allocated
        total, n_node = int(os.environ["SLURM_STEP_NUM_TASKS"]), int(os.environ.get("SLURM_STEP_NUM_NODES", "1"))
        if total % n_node:
            raise InputError(
                f"srun started {total} tasks on {n_node} nodes; each node needs as many (--ntasks-per-node)."
            )
        return total // n_node, n_node
    return None


def slurm_environment() -> list[Any]:
    """Lightning's plug-in for Slurm, where it would take one process for many or queue the job again itself."""
    if not SLURMEnvironment.detect() or "TORCHELASTIC_RUN_ID" in os.environ:
        return []
    return [SLURMEnvironment(auto_requeue=False) if "SLURM_STEP_NUM_TASKS" in os.environ else LightningEnvironment()]


def is_restarted() -> bool:
    """Whether torchrun has started these processes anew after one of them was lost (`--max-restarts`)."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0


def rejoin_process_group() -> None:
    """Lets the processes that torchrun has started anew find each other; called before Lightning, which takes the group as it is.

    PyTorch keeps torchrun's table of addresses over a restart (pytorch issue 135712), so that they would wait for those that are gone.
    Raises InputError on several nodes, whose counts of restarts differ, unless torchrun was told to make a new table each time.
    """
    if not is_restarted() or os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True" or dist.is_initialized():
        return
    rank, total = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if total != int(os.environ["LOCAL_WORLD_SIZE"]):
        raise InputError(
            "torchrun has started these processes again, but those of other nodes could not find them: start it on every node "
            "with the environment variable TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1, and go on with --resume."
        )
    # Documented, but missing from the names that the package says it exports.
    table = dist.TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), total, is_master=False)  # type: ignore[attr-defined]
    own = dist.PrefixStore(f"restart_{os.environ['TORCHELASTIC_RESTART_COUNT']}", table)  # type: ignore[attr-defined]
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", store=own, rank=rank, world_size=total)
    atexit.register(dist.destroy_process_group)


def seed_of(seed: int, *rest: int) -> int:
    """The seed of a process, from its rank and what else there is to tell apart; alone or first it is `seed` itself."""
    return int(np.random.SeedSequence((seed, *rest)).generate_state(1)[0]) if any(rest) else seed


def from_all(value: Any) -> list[Any]:
    """What every process has as `value`, in order of rank; all of them have to ask."""
    if not (dist.is_available() and dist.is_initialized()):
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


@contextmanager
def report_lost_peer() -> Iterator[None]:
    """Inside the block, an error because another process has gone is told in words, and leaves with code 1."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and not any(word in str(error) for word in LOST):
            raise
        log.error(
            "Another process of this training has ended or can't be reached any more; why stands in its own output. This one ends "
            "too (%s).",
            " ".join(str(error).split())[:120],
        )
        raise SystemExit(1) from error
