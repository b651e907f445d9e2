"""The processes of one training, which torchrun or srun has started, or which Lightning starts itself."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from root_gnn.console import log
from root_gnn.errors import InputError
from root_gnn.training.config import TrainConfig

LOST = ("gloo", "NCCL", "Connection closed by peer", "Connection reset by peer", "Socket closed")


def processes(train: TrainConfig) -> tuple[int, int]:
    """Returns the number of processes on each node and of nodes, from torchrun or srun, else from the recipe.

    Raises InputError where the recipe and the launcher disagree.
    """
    of_recipe = (train.devices, train.num_nodes)
    started = _started()
    if started is None:
        return of_recipe
    if of_recipe not in ((1, 1), started):
        raise InputError(
            f"train.devices is {of_recipe[0]} and train.num_nodes {of_recipe[1]}, "
            f"but {started[0]} processes were started on each of {started[1]} nodes. "
            "Leave both keys out: the launcher knows."
        )
    return started


def _started() -> tuple[int, int] | None:
    if "TORCHELASTIC_RUN_ID" in os.environ:
        here, total = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
        return here, total // here
    # srun sets this variable; a batch script without srun is one process, whatever was allocated.
    if "SLURM_STEP_NUM_TASKS" in os.environ:
        total, n_node = int(os.environ["SLURM_STEP_NUM_TASKS"]), int(os.environ.get("SLURM_STEP_NUM_NODES", "1"))
        if total % n_node:
            raise InputError(
                f"srun started {total} tasks on {n_node} nodes; each node needs as many (--ntasks-per-node)."
            )
        return total // n_node, n_node
    return None


def slurm_environment() -> list[Any]:
    """Returns Lightning's plug-in for Slurm where its default would miscount processes or requeue the job itself."""
    # Imported here: Lightning takes seconds to import, and processes that only sum losses do not need it.
    from lightning.fabric.plugins.environments.lightning import LightningEnvironment
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

    if not SLURMEnvironment.detect() or "TORCHELASTIC_RUN_ID" in os.environ:
        return []
    return [SLURMEnvironment(auto_requeue=False) if "SLURM_STEP_NUM_TASKS" in os.environ else LightningEnvironment()]


def is_restarted() -> bool:
    """Whether torchrun has started these processes anew after one of them was lost (`--max-restarts`)."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0


def rejoin_process_group() -> None:
    """Makes the process group after a restart by torchrun; called before Lightning, which uses an existing group.

    PyTorch keeps torchrun's table of addresses over a restart (pytorch issue 135712), so that the new processes would
    wait for the lost ones. Raises InputError on several nodes, whose counts of restarts differ, unless torchrun makes a
    new table at each restart.
    """
    if not is_restarted() or os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True" or dist.is_initialized():
        return
    rank, total = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if total != int(os.environ["LOCAL_WORLD_SIZE"]):
        raise InputError(
            "torchrun has started these processes again, but those of other nodes could not find them: "
            "start it on every node with the environment variable TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1, "
            "and go on with --resume."
        )
    # Both classes are documented, but missing from the names that the package says it exports.
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    table = dist.TCPStore(address, port, total, is_master=False)  # type: ignore[attr-defined]
    own = dist.PrefixStore(f"restart_{os.environ['TORCHELASTIC_RESTART_COUNT']}", table)  # type: ignore[attr-defined]
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", store=own, rank=rank, world_size=total)
    atexit.register(dist.destroy_process_group)


def seed_of(seed: int, *rest: int) -> int:
    """Returns a seed of its own for each `rest` (the rank of a process, ...); it is `seed` itself where all are 0."""
    return int(np.random.SeedSequence((seed, *rest)).generate_state(1)[0]) if any(rest) else seed


def from_all(value: Any) -> list[Any]:
    """Gathers `value` of every process, in order of rank; all processes have to call this."""
    if not (dist.is_available() and dist.is_initialized()):
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


@contextmanager
def report_lost_peer() -> Iterator[None]:
    """Reports a lost peer process inside the block with a readable message, and exits with code 1."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and not any(word in str(error) for word in LOST):
            raise
        log.error(
            "Another process of this training has ended or can't be reached any more; its own output says why. "
            "This one ends too (%s).",
            " ".join(str(error).split())[:120],
        )
        raise SystemExit(1) from error
