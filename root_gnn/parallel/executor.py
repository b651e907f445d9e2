"""The pool that the options --jobs, --scheduler and --slurm choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from root_gnn.errors import InputError
from root_gnn.parallel.dask import DaskPool
from root_gnn.parallel.pool import Pool
from root_gnn.parallel.processes import ProcessPool
from root_gnn.parallel.slurm import SlurmPool


def executor(
    purpose: str,
    *,
    jobs: int,
    scheduler: str | None,
    slurm: Mapping[str, str] | None,
    folder: Path,
    initializer: Callable[[], object] | None = None,
) -> Pool | None:
    """The pool that the options choose; None where the calls are to run in this process (one job, no cluster).

    Args:
        purpose: what the calls do, for errors ("Preparing").
        jobs: how many processes of this machine to use.
        scheduler: address of the scheduler of a Dask cluster (`tcp://host:8786`), which is used instead.
        slurm: parameters of sbatch (empty for the defaults); Slurm is used instead.
        folder: where the folder `slurm` with the files of Slurm's jobs is made; the jobs must see it too.
        initializer: what each process of this machine calls when it starts.

    Raises InputError where both clusters are named, where no scheduler answers and where Slurm is missing;
    MissingExtraError where the extra `cluster` is needed.
    """
    refuse_two_clusters(scheduler, slurm)
    if scheduler is not None:
        return DaskPool(scheduler, purpose=purpose)
    if slurm is not None:
        return SlurmPool(folder / "slurm", slurm, purpose=purpose)
    return ProcessPool(jobs, initializer) if jobs > 1 else None


def refuse_two_clusters(scheduler: str | None, slurm: Mapping[str, str] | None) -> None:
    """Raises InputError where both a Dask cluster and Slurm are named."""
    if scheduler is not None and slurm is not None:
        raise InputError("--scheduler runs the work on a Dask cluster and --slurm on Slurm; give one of the two")
