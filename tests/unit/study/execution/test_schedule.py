"""The order of trainings, what failures and killed processes do, and the places they run at."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path

import pytest

from root_gnn.errors import InputError
from root_gnn.study.execution.executors import DaskExecutor, Executor, LocalExecutor
from root_gnn.study.execution.schedule import run_all
from root_gnn.study.execution.slurm import SlurmExecutor
from root_gnn.study.execution.training import Training

SMALL = (
    "data.classes={WH: WH.root, ZH: ZH.root}",
    "train.max_steps=2",
    "data.max_events=60",
    "model.dim=8",
    "model.n_steps=1",
)
REAL = [
    Training("pretrained", "pretrain_multiclass", SMALL),
    Training("WHvsZH", "WHvsZH", ("train.max_steps=2", "data.max_events=60"), "finetuned", "pretrained", 40),
    Training("broken", "pretrain_multiclass", ("data.classes={WH: WH.root, ZH: nothing.root}",)),
]


class Recorded(Executor):
    """Trains nothing: says at once what it was told to say, and remembers what was asked for."""

    def __init__(self, answers: dict[str, list[float | BaseException]], n_at_once: int | None) -> None:
        super().__init__(Path("runs"), Path("data"))
        self.answers, self.n_at_once = answers, n_at_once
        self.asked: list[list[str]] = []
        self.ended = ""

    def submit(self, trainings: Sequence[Training]) -> list[Future[float]]:
        self.asked.append([one.name for one in trainings])
        return [self._answer(one.name) for one in trainings]

    def _answer(self, name: str) -> Future[float]:
        future: Future[float] = Future()
        answer = self.answers.get(name, [1.0]).pop(0) if name in self.answers else 1.0
        future.set_exception(answer) if isinstance(answer, BaseException) else future.set_result(answer)
        return future

    def stop(self) -> None:
        self.ended = "stopped"

    def close(self) -> None:
        self.ended = "closed"


def plan(*names: str) -> list[Training]:
    """Trainings by name; `b<a` starts from a."""
    return [Training(name, "x", source=source or None) for name, _, source in (one.partition("<") for one in names)]


def test_what_starts_from_a_training_waits_for_it_and_no_more_than_allowed_are_taken_up() -> None:
    place = Recorded({}, n_at_once=2)
    outcome = run_all(plan("x<a", "a", "b", "c"), place)
    asked = sorted(name for names in place.asked for name in names)
    assert place.asked[0] == ["a", "b"] and asked == ["a", "b", "c", "x"] and place.ended == "closed"
    assert all(len(names) <= 2 for names in place.asked) and set(outcome.seconds) == {"a", "b", "c", "x"}
    everything = Recorded({}, n_at_once=None)
    run_all(plan("x<a", "a", "b", "c"), everything)
    assert everything.asked == [["a", "b", "c"], ["x"]]


def test_a_failure_is_listed_and_takes_along_only_what_starts_from_it() -> None:
    place = Recorded({"a": [InputError("no file")], "b": [ValueError("odd")]}, n_at_once=2)
    outcome = run_all(plan("a", "x<a", "b", "c", "y<c"), place)
    assert outcome.failures == {"a": "no file", "b": "ValueError: odd", "x": "not run, since a failed"}
    assert set(outcome.seconds) == {"c", "y"}


def test_a_training_whose_process_was_killed_is_tried_once_more() -> None:
    place = Recorded(
        {"a": [BrokenExecutor("killed"), 2.0], "b": [BrokenExecutor("killed"), BrokenExecutor("killed")]}, n_at_once=2
    )
    outcome = run_all(plan("a", "b"), place)
    assert outcome.seconds == {"a": 2.0} and "killed" in outcome.failures["b"]


def test_an_interruption_stops_the_place() -> None:
    place = Recorded({}, n_at_once=1)
    place.submit = lambda trainings: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        run_all(plan("a"), place)
    assert place.ended == "stopped"


class Suicide(Training):
    """Ends its own process at the first try, as the kernel does when memory runs out."""

    def run(self, runs: Path, data_dir: Path) -> float:
        mark = runs / self.name
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0


@pytest.mark.slow
def test_local_processes_survive_a_killed_one(tmp_path: Path) -> None:
    place = LocalExecutor(tmp_path, tmp_path, jobs=1)
    outcome = run_all([Suicide("one", "x"), Suicide("two", "x")], place)
    assert set(outcome.seconds) == {"one", "two"}


def _check_real(place: Executor, runs: Path) -> None:
    outcome = run_all(REAL, place)
    assert set(outcome.seconds) == {"pretrained", "WHvsZH"} and "nothing.root" in outcome.failures["broken"]
    assert (runs / "WHvsZH" / "metrics.json").is_file() and (runs / "pretrained" / "metrics.json").is_file()


@pytest.mark.slow
def test_a_dask_cluster_trains_what_processes_train(tmp_path: Path, data_dir: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra cluster")
    (tmp_path / "runs").mkdir()
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        host="127.0.0.1",
        protocol="tcp",
        dashboard_address=None,
    ) as cluster:
        _check_real(DaskExecutor(tmp_path / "runs", data_dir, scheduler=cluster.scheduler_address), tmp_path / "runs")
    assert not (tmp_path / ".wanted").exists()


@pytest.mark.slow
def test_job_arrays_of_submitit(tmp_path: Path, data_dir: Path) -> None:
    pytest.importorskip("submitit", reason="needs the extra cluster")
    (tmp_path / "runs").mkdir()
    _check_real(
        SlurmExecutor(tmp_path / "runs", data_dir, parameters={"time": "10", "cluster": "local"}), tmp_path / "runs"
    )


def test_what_slurm_does_not_know(tmp_path: Path) -> None:
    pytest.importorskip("submitit", reason="needs the extra cluster")
    with pytest.raises(InputError, match=r"--slurm: .*partitionn"):
        SlurmExecutor(tmp_path, tmp_path, parameters={"partitionn": "long", "cluster": "local"})


def test_a_scheduler_that_does_not_answer(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="needs the extra cluster")
    with pytest.raises(InputError, match="use --jobs on this machine"):
        DaskExecutor(tmp_path, tmp_path, scheduler="tcp://127.0.0.1:9")
