"""Many trainings side by side: each in a process of its own with one thread, what is done found again, failures listed at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import active_children, get_context
from pathlib import Path

from root_gnn.console import log, set_verbosity
from root_gnn.errors import InputError
from root_gnn.task import Mode


@dataclass(frozen=True)
class Training:
    """One run of a recipe, or of a task from another run.

    Attributes:
        name: of the run folder.
        what: the recipe, or the task where there is a mode.
        overrides: `dotted.key=value`.
        mode: how a task is trained; None for a recipe.
        source: name of the training whose run a task starts from, or takes the network of.
        train_events: size of a task's training subset.
    """

    name: str
    what: str
    overrides: tuple[str, ...] = ()
    mode: Mode | None = None
    source: str | None = None
    train_events: int | None = None

    def command(self) -> list[str]:
        """The words that do the same on the command line, from beside the folder `runs`."""
        words = ["train", self.what] if self.mode is None else ["finetune", "--task", self.what, "--mode", self.mode]
        words += [] if self.source is None else ["--from", f"runs/{self.source}"]
        words += [] if self.train_events is None else ["--train-events", str(self.train_events)]
        changed = (word for override in self.overrides for word in ("--set", override))
        return ["root-gnn", *words, *changed, "--run-dir", f"runs/{self.name}"]

    def run(self, runs: Path, data_dir: Path) -> float:
        """Trains, or finds it done; returns the seconds it took."""
        os.environ["TTY_COMPATIBLE"] = "0"  # two progress bars would write over each other; plain lines don't
        set_verbosity(0)
        from root_gnn.pipeline import finetune, train

        start = time.monotonic()
        folder = runs / self.name
        if self.mode is None:
            train(self.what, overrides=self.overrides, data_dir=data_dir, run_dir=folder, resume=True)
        else:
            finetune(
                self.what, run=None if self.source is None else runs / self.source, mode=self.mode, train_events=self.train_events,
                overrides=self.overrides, data_dir=data_dir, run_dir=folder, resume=True,
            )  # fmt: skip
        return time.monotonic() - start


@dataclass
class Outcome:
    """What came of many trainings: seconds of each that ended well, and why the others did not."""

    seconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def run_all(trainings: Sequence[Training], *, runs: Path, data_dir: Path, jobs: int) -> Outcome:
    """Runs all trainings, `jobs` at a time; one begins when the training it starts from is done.

    A failure does not stop the others; what starts from it is not run and listed with it. Interrupted, every training
    saves before it leaves, and the same call goes on from there.
    """
    waiting, outcome = list(trainings), Outcome()
    running: dict[Future[float], Training] = {}
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    try:
        while running or waiting:
            for training in [one for one in waiting if one.source in outcome.failures]:
                waiting.remove(training)
                outcome.failures[training.name] = f"not run, since {training.source} failed"
            ready = [one for one in waiting if one.source is None or one.source in outcome.seconds]
            for training in ready[: jobs - len(running)]:  # no more than that: what a pool has taken up can't be called back
                waiting.remove(training)
                running[pool.submit(training.run, runs, data_dir)] = training
            if running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    _take(future, running.pop(future), outcome, len(trainings))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in active_children():
            child.terminate()  # each training saves before it leaves
        raise
    pool.shutdown()
    return outcome


def _take(future: Future[float], training: Training, outcome: Outcome, n_training: int) -> None:
    try:
        outcome.seconds[training.name] = future.result()
        said = f"{outcome.seconds[training.name]:.0f} s"
    except Exception as error:  # one failure, whatever its kind, must not lose the others
        text = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        outcome.failures[training.name] = text
        said = f"failed: {text}"
    log.info("%d of %d: %s, %s", len(outcome.seconds) + len(outcome.failures), n_training, training.name, said)
