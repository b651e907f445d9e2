"""Executors of the trainings of a study: processes of this machine, a Dask cluster, or Slurm (in `slurm.py`)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

import torch

from root_gnn.errors import InputError
from root_gnn.parallel.dask import DaskPool
from root_gnn.parallel.processes import ProcessPool
from root_gnn.study.execution.training import Training

SECONDS_BETWEEN_LOOKS = 0.5


class Executor(ABC):
    """Runs trainings whose run folders lie in `runs`, `n_at_once` at a time; None stands for as many as there are."""

    n_at_once: int | None = None

    def __init__(self, runs: Path, data_dir: Path) -> None:
        self.runs, self.data_dir = runs.resolve(), data_dir.resolve()

    @abstractmethod
    def submit(self, trainings: Sequence[Training]) -> list[Future[float]]:
        """Submits trainings; each future gives the seconds that one took, or its error."""

    @abstractmethod
    def stop(self) -> None:
        """Tells all running trainings to save and exit."""

    @abstractmethod
    def close(self) -> None:
        """Releases processes or connections, after all trainings have ended."""


class LocalExecutor(Executor):
    """Processes of this machine with one thread each, `jobs` at a time."""

    def __init__(self, runs: Path, data_dir: Path, *, jobs: int) -> None:
        super().__init__(runs, data_dir)
        self.n_at_once = jobs
        self._pool = ProcessPool(jobs, _use_one_thread)

    def submit(self, trainings: Sequence[Training]) -> list[Future[float]]:
        """Submits trainings; each future gives the seconds that one took, or its error."""
        return self._pool.submit_all(_train, [(training, self.runs, self.data_dir) for training in trainings])

    def stop(self) -> None:
        """Tells all running trainings to save and exit."""
        self._pool.stop()

    def close(self) -> None:
        """Releases processes or connections, after all trainings have ended."""
        self._pool.shutdown()


def _train(training: Training, runs: Path, data_dir: Path) -> float:
    """Trains in a process of its own, and lets signals end that process afterwards.

    Lightning leaves a handler behind that would ignore them.
    """
    try:
        return training.run(runs, data_dir)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _use_one_thread() -> None:
    torch.set_num_threads(1)


class DaskExecutor(Executor):
    """Workers of a Dask cluster that see the same folders; each training is a process of its own with one thread.

    A file in the study's folder says that the trainings are wanted: Dask can't call back what a worker has begun.
    """

    def __init__(self, runs: Path, data_dir: Path, *, scheduler: str) -> None:
        super().__init__(runs, data_dir)
        self._pool = DaskPool(scheduler, purpose="Running a study")
        self._wanted = self.runs.parent / ".wanted"
        self._wanted.touch()

    def submit(self, trainings: Sequence[Training]) -> list[Future[float]]:
        """Submits trainings; each future gives the seconds that one took, or its error."""
        return [self._pool.submit(run_apart, one, self.runs, self.data_dir, self._wanted) for one in trainings]

    def stop(self) -> None:
        """Tells all running trainings to save and exit."""
        self._wanted.unlink(missing_ok=True)
        self._pool.stop()

    def close(self) -> None:
        """Releases processes or connections, after all trainings have ended."""
        self._wanted.unlink(missing_ok=True)
        self._pool.shutdown()


def run_apart(training: Training, runs: Path, data_dir: Path, wanted: Path) -> float:
    """Runs a training by its command line, for as long as there is a file `wanted`; returns the seconds.

    Raises InputError with what the command said last where it fails.
    """
    start = time.monotonic()
    words = [*training.command(runs)[1:], "--data-dir", str(data_dir), "--resume"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TTY_COMPATIBLE": "0"}
    command = [sys.executable, "-m", "root_gnn", *words]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        Thread(target=_end_unless_wanted, args=(process, wanted), daemon=True).start()
        said = process.communicate()[1].strip()
    if process.returncode:
        raise InputError(said.rpartition("\n")[2] or f"it ended with {process.returncode}")
    return time.monotonic() - start


def _end_unless_wanted(process: subprocess.Popen[str], wanted: Path) -> None:
    while process.poll() is None:
        if not wanted.exists():
            process.terminate()
        time.sleep(SECONDS_BETWEEN_LOOKS)
