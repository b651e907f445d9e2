"""Slurm as the place where files are prepared or trainings run, through submitit: calls that are ready at once are one job array."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from threading import Event, Thread
from typing import Any

from root_gnn.errors import InputError, MissingExtra

NAME = "root_gnn"
SECONDS_BETWEEN_LOOKS = 0.5


class SlurmPool(Executor):
    """Runs calls as jobs of one core with `parameters` of sbatch (`partition`, `time` in minutes, `mem`, `gpus_per_node`, ...).

    A job that reaches its time limit is queued again by submitit, and its call is made once more. What jobs write and return is kept
    in `folder`, which they see as well as this machine does. The parameter `cluster` is submitit's name of the kind of cluster:
    `local` runs the jobs as processes of this machine. Raises MissingExtra without submitit, of which `purpose` tells, and
    InputError where Slurm is not there or a parameter is none of its own.
    """

    def __init__(self, folder: Path, parameters: Mapping[str, str], *, purpose: str) -> None:
        try:
            import submitit
        except ImportError as error:
            raise MissingExtra("submitit", "cluster", purpose) from error
        cluster = {"cluster": "slurm", **parameters}["cluster"]
        asked = {
            f"slurm_{key.replace('-', '_')}": _plain(value) for key, value in parameters.items() if key != "cluster"
        }
        try:
            self._executor = submitit.AutoExecutor(folder=folder, cluster=cluster)
            self._executor.update_parameters(name=NAME, cpus_per_task=1, **asked)
        except (RuntimeError, NameError, ValueError, TypeError) as error:
            raise InputError(f"--slurm: {error}") from error
        self._jobs: dict[Future[Any], Any] = {}
        self._ended = Event()
        Thread(target=self._watch, daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The call's future."""
        return self._taken([self._executor.submit(Call(fn), *args, **kwargs)])[0]

    def submit_array(self, fn: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> list[Future[Any]]:
        """The futures of `fn` with each of the arguments: one job array."""
        with self._executor.batch():
            jobs = [self._executor.submit(Call(fn), *args) for args in calls]
        return self._taken(jobs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Waits for what was submitted, or cancels it, which Slurm tells a job before it ends it."""
        for future, job in self._jobs.items():
            if cancel_futures and not future.done():
                job.cancel(check=False)
            elif wait:
                future.exception()
        self._ended.set()

    def _taken(self, jobs: list[Any]) -> list[Future[Any]]:
        futures: list[Future[Any]] = [Future() for _ in jobs]
        self._jobs = {**self._jobs, **dict(zip(futures, jobs, strict=True))}
        return futures

    def _watch(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
            for future, job in self._jobs.items():
                if not future.done() and job.done():
                    _settle(future, job)


class Call:
    """What a job calls; `checkpoint` makes submitit queue it again when its time is up."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, str]:
        """What the call returns, and why it failed where it did by the user's input."""
        try:
            return self.fn(*args, **kwargs), ""
        except InputError as error:
            return None, str(error)

    def checkpoint(self, *args: Any, **kwargs: Any) -> Any:
        """The same call again: what it had done is found."""
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
