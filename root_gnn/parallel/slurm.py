"""A pool that runs its calls as Slurm jobs, through submitit; calls submitted together are one job array."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from typing import Any

from root_gnn.errors import InputError, MissingExtraError
from root_gnn.parallel.pool import Pool

JOB_NAME = "root_gnn"
SECONDS_BETWEEN_POLLS = 0.5


class SlurmPool(Pool):
    """Runs calls as jobs of one core; a job that reaches its time limit is queued again and repeats its call."""

    def __init__(self, folder: Path, parameters: Mapping[str, str], *, purpose: str) -> None:
        """Connects to Slurm.

        Args:
            folder: keeps the arguments and results of the jobs, which see it as well as this machine does.
            parameters: options of sbatch (`partition`, `time` in minutes, `mem`, `gpus_per_node`, ...). The additional
                key `cluster` is submitit's kind of cluster: `local` runs the jobs as processes of this machine.
            purpose: what the calls do, for errors ("Preparing").

        Raises MissingExtraError without submitit, InputError where Slurm is missing or does not know a parameter.
        """
        try:
            import submitit
        except ImportError as error:
            raise MissingExtraError("submitit", "cluster", f"{purpose} on Slurm") from error
        cluster = {"cluster": "slurm", **parameters}["cluster"]
        options = {
            f"slurm_{key.replace('-', '_')}": _plain(value) for key, value in parameters.items() if key != "cluster"
        }
        try:
            self._executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
            self._executor.update_parameters(name=JOB_NAME, cpus_per_task=1, **options)
        except (RuntimeError, NameError, ValueError, TypeError) as error:
            raise InputError(f"--slurm: {error}") from error
        self._jobs: dict[Future[Any], Any] = {}
        self._ended = Event()
        Thread(target=self._watch, daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submits a call as one job and returns its future."""
        return self._futures_of([self._executor.submit(Call(fn), *args, **kwargs)])[0]

    def submit_all(self, fn: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> list[Future[Any]]:
        """Submits `fn` with each tuple of arguments as one job array; the futures are in the same order."""
        with self._executor.batch():
            jobs = [self._executor.submit(Call(fn), *args) for args in calls]
        return self._futures_of(jobs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Waits for the submitted calls, or cancels their jobs (Slurm sends a job a signal before it ends it)."""
        for future, job in self._jobs.items():
            if cancel_futures and not future.done():
                job.cancel(check=False)
            elif wait:
                future.exception()
        self._ended.set()

    def _futures_of(self, jobs: list[Any]) -> list[Future[Any]]:
        futures: list[Future[Any]] = [Future() for _ in jobs]
        self._jobs = {**self._jobs, **dict(zip(futures, jobs, strict=True))}
        return futures

    def _watch(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_POLLS):
            for future, job in self._jobs.items():
                if not future.done() and job.done():
                    _settle(future, job)


class Call:
    """The function a job calls; submitit calls `checkpoint` when the time is up, and queues the result."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        """Wraps `fn`."""
        self.fn = fn

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, str]:
        """Returns the result and an empty text, or None and the message of an InputError."""
        try:
            return self.fn(*args, **kwargs), ""
        except InputError as error:
            return None, str(error)

    def checkpoint(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the same call; it reuses what the interrupted one completed."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, *args, **kwargs)


def _settle(future: Future[Any], job: Any) -> None:
    try:
        value, failure = job.result()
    except Exception as error:  # whatever ended the job: its node, its limits, its code
        future.set_exception(RuntimeError(" ".join(str(error).split()[-60:])))
        return
    if failure:
        future.set_exception(InputError(failure))
    else:
        future.set_result(value)


def _plain(value: str) -> str | int:
    return int(value) if value.isdecimal() else value
