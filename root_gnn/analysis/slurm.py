"""Slurm as the place where the trainings of a study run, through submitit: what is ready at once is one job array."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from typing import Any

import torch

from root_gnn.analysis.places import SECONDS_BETWEEN_LOOKS, Place
from root_gnn.analysis.training import Training
from root_gnn.errors import InputError, MissingExtra

NAME = "root_gnn"


class SlurmPlace(Place):
    """Jobs of one core with `parameters` of sbatch (`partition`, `time` in minutes, `mem`, `gpus_per_node`, `array_parallelism`, ...).

    A job that reaches its time limit is queued again by submitit, and goes on from its last checkpoint. `cluster` is submitit's name
    of the kind of cluster; `local` runs the jobs as processes of this machine.
    """

    def __init__(self, runs: Path, data_dir: Path, *, parameters: Mapping[str, str], cluster: str = "slurm") -> None:
        super().__init__(runs, data_dir)
        try:
            import submitit
        except ImportError as error:
            raise MissingExtra("submitit", "cluster", "Running a study on Slurm") from error
        try:
            self._executor = submitit.AutoExecutor(folder=self.runs.parent / "slurm", cluster=cluster)
            self._executor.update_parameters(
                name=NAME, cpus_per_task=1, **{f"slurm_{key.replace('-', '_')}": _plain(value) for key, value in parameters.items()}
            )
        except (RuntimeError, NameError, ValueError, TypeError) as error:
            raise InputError(f"--slurm: {error}") from error
        self._jobs: dict[Future[float], Any] = {}
        self._ended = Event()
        Thread(target=self._watch, daemon=True).start()

    def submit(self, trainings: Sequence[Training]) -> list[Future[float]]:
        """See `Place.submit`."""
        with self._executor.batch():
            jobs = [self._executor.submit(Job(), one, self.runs, self.data_dir) for one in trainings]
        futures: list[Future[float]] = [Future() for _ in jobs]
        self._jobs = {**self._jobs, **dict(zip(futures, jobs, strict=True))}
        return futures

    def stop(self) -> None:
        """See `Place.stop`: cancels the jobs, which Slurm tells to end before it ends them."""
        self._ended.set()
        for future, job in self._jobs.items():
            if not future.done():
                job.cancel(check=False)

    def close(self) -> None:
        """See `Place.close`."""
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
            for future, job in self._jobs.items():
                if not future.done() and job.done():
                    _settle(future, job)


class Job:
    """What a job calls; `checkpoint` makes submitit queue it again when its time is up."""

    def __call__(self, training: Training, runs: Path, data_dir: Path) -> tuple[float, str]:
        """The seconds, and why it failed where it did by the user's input."""
        torch.set_num_threads(1)
        start = time.monotonic()
        try:
            return training.run(runs, data_dir), ""
        except InputError as error:
            return time.monotonic() - start, str(error)

    def checkpoint(self, *arguments: Any) -> Any:
        """The same call: a run goes on by itself."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, *arguments)


def _settle(future: Future[float], job: Any) -> None:
    try:
        seconds, failure = job.result()
    except Exception as error:  # whatever ended the job: its node, its limits, its code
        future.set_exception(RuntimeError(" ".join(str(error).split()[-60:])))
        return
    if failure:
        future.set_exception(InputError(failure))
    else:
        future.set_result(seconds)


def _plain(value: str) -> str | int:
    return int(value) if value.isdecimal() else value
