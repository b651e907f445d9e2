"""The trainings of a study as Slurm jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

import torch

from root_gnn.parallel.slurm import SlurmPool
from root_gnn.study.execution.executors import Executor
from root_gnn.study.execution.training import Training


class SlurmExecutor(Executor):
    """Job arrays with `parameters` of sbatch, see `SlurmPool`.

    A training whose time is up goes on from its last checkpoint.
    """

    def __init__(self, runs: Path, data_dir: Path, *, parameters: Mapping[str, str]) -> None:
        super().__init__(runs, data_dir)
        self._pool = SlurmPool(self.runs.parent / "slurm", parameters, purpose="Running a study")

    def submit(self, trainings: Sequence[Training]) -> list[Future[float]]:
        """Submits trainings; each future gives the seconds that one took, or its error."""
        return self._pool.submit_all(train_in_slurm, [(one, self.runs, self.data_dir) for one in trainings])

    def stop(self) -> None:
        """Cancels the jobs, whose trainings then save and exit."""
        self._pool.stop()

    def close(self) -> None:
        """Releases processes or connections, after all trainings have ended."""
        self._pool.shutdown(wait=False)


def train_in_slurm(training: Training, runs: Path, data_dir: Path) -> float:
    """Runs a training with one thread inside a job, and returns its seconds."""
    torch.set_num_threads(1)
    return training.run(runs, data_dir)
