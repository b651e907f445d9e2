"""Runs many trainings: each begins when the one that it starts from is done.

Trainings that are done are not run again, and failures are listed at the end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field

from root_gnn.console import log
from root_gnn.errors import InputError
from root_gnn.study.execution.executors import Executor
from root_gnn.study.execution.training import Training


@dataclass
class Outcome:
    """The outcome of many trainings.

    The seconds of each that ended well in this call, and the reasons why others failed.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def run_all(trainings: Sequence[Training], place: Executor) -> Outcome:
    """Runs all trainings; one begins when the training it starts from is done.

    A failure does not stop the others; what starts from it is not run and listed with it. Interrupted, every training
    saves before it leaves, and the same call goes on from there.
    """
    waiting, outcome = list(trainings), Outcome()
    running: dict[Future[float], Training] = {}
    killed: set[str] = set()
    try:
        while running or waiting:
            for training in [one for one in waiting if one.source in outcome.failures]:
                waiting.remove(training)
                outcome.failures[training.name] = f"not run, since {training.source} failed"
            ready = [one for one in waiting if one.source is None or one.source in outcome.seconds]
            if place.n_at_once is not None:  # what has been taken up can't be called back
                ready = ready[: place.n_at_once - len(running)]
            waiting = [one for one in waiting if one not in ready]
            running |= dict(zip(place.submit(ready), ready, strict=True)) if ready else {}
            for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                training = running.pop(future)
                if isinstance(future.exception(), BrokenExecutor) and training.name not in killed:
                    killed.add(training.name)  # perhaps by the fault of another one beside it
                    waiting.insert(0, training)
                else:
                    _take(future, training, outcome)
                    _tell(training.name, outcome, place, len(trainings))
    except BaseException:
        place.stop()
        raise
    place.close()
    return outcome


def _take(future: Future[float], training: Training, outcome: Outcome) -> None:
    try:
        outcome.seconds[training.name] = future.result()
    except Exception as error:  # one failure, whatever its kind, must not lose the others
        outcome.failures[training.name] = (
            str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        )


def _tell(name: str, outcome: Outcome, place: Executor, n_training: int) -> None:
    n_done = len(outcome.seconds) + len(outcome.failures)
    if name in outcome.failures:
        log.warning("%d of %d: %s failed: %s", n_done, n_training, name, outcome.failures[name])
        return
    path = place.runs / name / "metrics.json"
    test = json.loads(path.read_text(encoding="utf-8"))["splits"].get("test", {}) if path.is_file() else {}
    found = "" if test.get("auc") is None else f" test AUC {test['auc']:.4f} ± {test['auc_error'] or 0.0:.4f},"
    log.info("%d of %d: %s,%s %.0f s", n_done, n_training, name, found, outcome.seconds[name])
