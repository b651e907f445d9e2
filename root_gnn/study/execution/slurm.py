"""Slurm as the place where the trainings of a study run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

import torch

from root_gnn.parallel.slurm import SlurmPool
from root_gnn.study.execution.places import Executor
from root_gnn.study.execution.training import Training


class SlurmPlace(Executor):
    """Job arrays with `parameters` of sbatch, see `SlurmPool`.

    A training whose time is up goes on from its last checkpoint.
    """

    def __init__(self, runs: Path, data_dir: Path, *, parameters: Mapping[str, str]) -> None:
        super().__init__(runs, data_dir)
        self._pool = SlurmPool(self.runs.parent / "slurm", parameters, purpose="Running a study")

    def submit(self, trainings: Sequence[Training]) -> list[Future[float]]:
        """See `Place.submit`."""
        return self._pool.submit_all(train_in_slurm, [(one, self.runs, self.data_dir) for one in trainings])

    def stop(self) -> None:
        """See `Place.stop`: cancels the jobs."""
        self._pool.stop()

    def close(self) -> None:
        """See `Place.close`."""
        self._pool.shutdown(wait=False)


def train_in_slurm(training: Training, runs: Path, data_dir: Path) -> float:
    """Of a job: a training with one thread; the seconds."""
    torch.set_num_threads(1)
    return training.run(runs, data_dir)
