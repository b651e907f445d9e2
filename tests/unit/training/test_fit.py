"""Trainings with scripted validation losses: the best epoch, early stopping, and resuming."""

from __future__ import annotations

import csv
import math
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch.loops.training_epoch_loop import _TrainingEpochLoop
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from root_gnn.data.events.loader import BatchSampler, EventLoader
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import STILL, Objective
from root_gnn.testing import TinyEncoder, random_batch
from root_gnn.training.config import TrainConfig
from root_gnn.training.fit import FitResult, fit
from root_gnn.training.optim import OptimConfig

N_BATCH = 3


class Killed(BaseException):
    """What SIGKILL would be in a process of its own."""


class Scripted(Objective):
    """Its k-th validation has the k-th loss; `stop_in` tells where it is killed or told to end."""

    def __init__(
        self, losses: list[float], *, stop_in: tuple[str, int] | None = None, how: signal.Signals | None = None
    ) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.encoder, self.head = TinyEncoder(Features()), nn.Linear(TinyEncoder(Features()).dim, 1)
        self.losses, self.stop_in, self.how = losses, stop_in, how
        self.register_buffer("counts", torch.zeros(2, dtype=torch.int64))
        self.modes: list[bool] = []

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        counts: Tensor = self.get_buffer("counts")
        kind = "step" if self.training else "validation"
        place = int(counts[int(self.training)])
        counts[int(self.training)] += 1
        self.modes.append(self.training)
        if self.stop_in == (kind, place):
            if self.how is None:
                raise Killed
            os.kill(os.getpid(), self.how)
        loss = self.head(self.encoder(batch).globals).square().mean()
        return {"loss": loss if self.training else loss * 0.0 + self.losses[place]}


class Events(Dataset[Batch]):
    """Three graphs for three rows, drawn from the rows' numbers."""

    def __getitem__(self, rows: NDArray[np.int64]) -> Batch:
        return random_batch(Features(), [2, 3, 1], seed=int(rows[0]))


@dataclass
class Training:
    """One run folder and how its recipe reads; `go` trains or resumes in it."""

    folder: Path
    config: TrainConfig
    optim: OptimConfig = field(default_factory=lambda: OptimConfig(lr=1e-2, schedule="cosine", warmup=0.0))

    def go(self, objective: Objective, *, resume: bool = False) -> FitResult:
        sampler = BatchSampler(np.arange(3 * N_BATCH), 3, seed=1)
        loader = EventLoader(Events(), batch_size=None, sampler=sampler, generator=torch.Generator())
        held: DataLoader[Batch] = DataLoader(Events(), batch_size=None, sampler=[np.arange(3)])
        return fit(
            objective,
            lambda rank, world: loader,
            held,
            train=self.config,
            optim=self.optim,
            augmentations=(),
            seed=1,
            folder=self.folder,
            name="scripted",
            n_graph=9,
            resume=resume,
        )

    def checkpoint(self, name: str) -> dict[str, Tensor]:
        state: dict[str, Tensor] = torch.load(self.folder / "checkpoints" / f"{name}.ckpt", weights_only=True)[
            "state_dict"
        ]
        return state

    def rows(self, tag: str) -> list[tuple[int, int, float]]:
        with (self.folder / "history.csv").open(encoding="utf-8") as file:
            return [
                (int(row["epoch"]), int(row["step"]), float(row["value"]))
                for row in csv.DictReader(file)
                if row["tag"] == tag
            ]


def training(folder: Path, **keys: object) -> Training:
    folder.mkdir(exist_ok=True)
    return Training(folder, TrainConfig.model_validate({"max_epochs": 5, "batch_size": 3, "log_every": 1, **keys}))


def test_best_is_the_best_epoch_and_not_the_last_one(tmp_path: Path) -> None:
    """OmniLearned wrote best_model every epoch, J-JEPA never.

    Here epoch 2 of 5 is best, and `fit` leaves its weights.
    """
    run, objective = training(tmp_path), Scripted([0.5, 0.2, 0.4, 0.3, 0.6])
    fitted = run.go(objective)
    assert fitted.best_epoch == 2 and fitted.n_event == 5 * 9
    best, last = run.checkpoint("best"), run.checkpoint("last")
    assert best["objective.counts"].tolist() == [2, 2 * N_BATCH] and last["objective.counts"].tolist() == [
        5,
        5 * N_BATCH,
    ]
    assert all(torch.equal(value, best[f"objective.{name}"]) for name, value in objective.state_dict().items())
    assert not torch.equal(best["objective.head.weight"], last["objective.head.weight"])
    assert [row[:2] for row in run.rows("val/loss")] == [(epoch, N_BATCH * (epoch + 1)) for epoch in range(5)]
    assert [loss for _, _, loss in run.rows("val/loss")] == pytest.approx(objective.losses)


def test_weights_of_the_epochs_asked_for_stay(tmp_path: Path) -> None:
    """Those of epoch 2, the best one, are `best`; a training that was killed in between leaves the same files."""
    losses = [0.5, 0.2, 0.4, 0.3, 0.6]
    whole, killed = (training(tmp_path / name, keep_epochs=[1, 2, 4, 9]) for name in ("whole", "killed"))
    whole.go(Scripted(losses))
    with pytest.raises(Killed):
        killed.go(Scripted(losses, stop_in=("step", 2 * N_BATCH + 1)))
    killed.go(Scripted(losses), resume=True)
    for run in (whole, killed):
        kept = {path.stem: run.checkpoint(path.stem) for path in (run.folder / "checkpoints").glob("epoch_*.ckpt")}
        assert sorted(kept) == ["epoch_1", "epoch_2", "epoch_4"], "there was no ninth"
        assert [kept[f"epoch_{k}"]["objective.counts"].tolist() for k in (1, 2, 4)] == [
            [k, k * N_BATCH] for k in (1, 2, 4)
        ]
        assert all(torch.equal(value, whole.checkpoint("best")[name]) for name, value in kept["epoch_2"].items())
        assert all(torch.equal(value, whole.checkpoint("epoch_4")[name]) for name, value in kept["epoch_4"].items())


def test_training_mode_comes_back_after_validation(tmp_path: Path) -> None:
    """J-JEPA validated in evaluation mode and trained on in it."""
    objective = Scripted([0.5] * 5)
    training(tmp_path).go(objective)
    assert objective.modes == ([True] * N_BATCH + [False]) * 5


@pytest.mark.parametrize("place", [("step", 2 * N_BATCH + 1), ("validation", 3)], ids=["in a step", "in validation"])
def test_resumed_run_remembers_the_best_value_and_the_schedule(place: tuple[str, int], tmp_path: Path) -> None:
    """weaver forgot the best metric, Finetune_hep the schedule, and OmniLearned skipped an epoch."""
    losses = [0.5, 0.2, 0.4, 0.3, 0.6]
    unbroken, killed = training(tmp_path / "unbroken"), training(tmp_path / "killed")
    unbroken.go(Scripted(losses))
    with pytest.raises(Killed):
        killed.go(Scripted(losses, stop_in=place))
    assert killed.go(Scripted(losses), resume=True).best_epoch == 2
    for name in ("best", "last"):
        one, other = unbroken.checkpoint(name), killed.checkpoint(name)
        assert all(torch.equal(one[key], other[key]) for key in one)
    for tag in ("val/loss", "lr/head", "lr/backbone", "train/loss"):
        assert killed.rows(tag) == unbroken.rows(tag)


@pytest.mark.parametrize("every", [1, N_BATCH, N_BATCH - 1])
def test_a_checkpoint_at_any_step_resumes(every: int, tmp_path: Path) -> None:
    """A save after an epoch's last step must not lose that epoch's validation."""
    losses = [0.5, 0.2, 0.4, 0.3, 0.6]
    unbroken = training(tmp_path / "unbroken")
    unbroken.go(Scripted(losses))
    for place in (("validation", 1), ("step", N_BATCH), ("step", 2 * N_BATCH - 1), ("validation", 4)):
        killed = training(tmp_path / f"{place[0]}{place[1]}", checkpoint_every=every)
        with pytest.raises(Killed):
            killed.go(Scripted(losses, stop_in=place))
        assert killed.go(Scripted(losses), resume=True).best_epoch == 2
        one, other = unbroken.checkpoint("last"), killed.checkpoint("last")
        assert all(torch.equal(one[key], other[key]) for key in one)
        assert killed.rows("val/loss") == unbroken.rows("val/loss") and killed.rows("train/loss") == unbroken.rows(
            "train/loss"
        )


def test_patience_starts_again_with_every_better_epoch(tmp_path: Path) -> None:
    """Patience counts epochs in a row: epochs 2, 4 and 5 are no better, but only the last two follow each other."""
    run = training(tmp_path, max_epochs=9, early_stopping=2)
    assert run.go(Scripted([0.5, 0.6, 0.4, 0.45, 0.46, 0.1, 0.1, 0.1, 0.1])).best_epoch == 3
    assert len(run.rows("val/loss")) == 5


def test_early_stopping_counts_over_a_resume_and_stays_stopped(tmp_path: Path) -> None:
    losses = [0.5, 0.4, 0.45, 0.46, 0.1, 0.1]
    run = training(tmp_path, max_epochs=6, early_stopping=2)
    with pytest.raises(Killed):
        run.go(Scripted(losses, stop_in=("step", 3 * N_BATCH)))
    assert run.go(Scripted(losses), resume=True).best_epoch == 2
    again = Scripted(losses)
    fitted = run.go(again, resume=True)  # as after a kill between training and evaluation
    assert again.modes == [] and len(run.rows("val/loss")) == 4
    assert fitted.best_epoch == 2 and fitted.n_event == 4 * 9 and fitted.seconds > 0


def test_a_finished_training_is_not_trained_on(tmp_path: Path) -> None:
    run = training(tmp_path, max_epochs=2)
    first = run.go(Scripted([0.5, 0.2]))
    again = Scripted([0.5, 0.2])
    assert run.go(again, resume=True) == first and again.modes == []
    assert again.get_buffer("counts").tolist() == [2, 2 * N_BATCH]


@pytest.mark.parametrize("max_steps", [2, N_BATCH, N_BATCH + 1])
def test_max_steps_ends_with_a_validation_and_a_best(max_steps: int, tmp_path: Path) -> None:
    run = training(tmp_path, max_steps=max_steps)
    run.go(Scripted([0.5, 0.2]))
    assert run.checkpoint("last")["objective.counts"].tolist() == [-(-max_steps // N_BATCH), max_steps]
    assert run.rows("val/loss")[-1][1] == max_steps


@pytest.mark.parametrize(
    "place", [("step", N_BATCH), ("step", N_BATCH + 1), ("validation", 1), ("step", 2 * N_BATCH)], ids=str
)
def test_max_steps_resumed_after_any_epoch_equals_unbroken(place: tuple[str, int], tmp_path: Path) -> None:
    """With Lightning's own limit of steps, a training resumed at the end of an epoch would skip the next one."""
    losses, keys = [0.5, 0.2, 0.4], {"max_steps": 2 * N_BATCH + 1}
    unbroken, killed = training(tmp_path / "unbroken", **keys), training(tmp_path / "killed", **keys)
    whole = unbroken.go(Scripted(losses))
    with pytest.raises(Killed):
        killed.go(Scripted(losses, stop_in=place))
    assert killed.go(Scripted(losses), resume=True).best_epoch == whole.best_epoch == 2
    one, other = unbroken.checkpoint("last"), killed.checkpoint("last")
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert killed.rows("val/loss") == unbroken.rows("val/loss") and killed.rows("train/loss") == unbroken.rows(
        "train/loss"
    )
    again = Scripted(losses)
    assert unbroken.go(again, resume=True) == whole and again.modes == []


def test_a_value_that_is_no_number_is_never_the_best(tmp_path: Path) -> None:
    assert training(tmp_path / "first").go(Scripted([math.nan, 0.4, math.inf, 0.3, math.nan])).best_epoch == 4
    with pytest.raises(InputError, match=r"val/loss was not a finite number.*optim\.lr"):
        training(tmp_path / "all").go(Scripted([math.nan] * 5))


@pytest.mark.parametrize("early_stopping", [None, 2])
def test_an_unknown_monitor_is_told_with_what_is_measured(early_stopping: int | None, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"val/acc.*val/loss"):
        training(tmp_path, monitor="val/acc", early_stopping=early_stopping).go(Scripted([0.5] * 5))


@pytest.mark.parametrize(
    ("place", "how", "code"),
    [
        pytest.param(("step", 1), signal.SIGTERM, 143, id="within an epoch"),
        pytest.param(("step", N_BATCH - 1), signal.SIGUSR1, 143, id="on its last step"),
        pytest.param(("validation", 0), signal.SIGINT, 130, id="in validation"),
        pytest.param(("validation", 1), signal.SIGTERM, 143, id="in the last validation"),
    ],
)
def test_told_to_end_it_saves_and_leaves_wherever_it_is(
    place: tuple[str, int], how: signal.Signals, code: int, tmp_path: Path
) -> None:
    unbroken, stopped = training(tmp_path / "unbroken", max_epochs=2), training(tmp_path / "stopped", max_epochs=2)
    unbroken.go(Scripted([0.5, 0.2]))
    before = signal.getsignal(how)
    with pytest.raises(SystemExit) as left:
        stopped.go(Scripted([0.5, 0.2], stop_in=place, how=how))
    assert left.value.code == code and signal.getsignal(how) is before
    assert stopped.go(Scripted([0.5, 0.2]), resume=True).best_epoch == 2
    one, other = unbroken.checkpoint("last"), stopped.checkpoint("last")
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert stopped.rows("train/loss") == unbroken.rows("train/loss")


def test_what_is_taken_from_lightning_is_there() -> None:
    """The method that `_trainer` replaces exists in Lightning; under another name it would still be called."""
    assert callable(_TrainingEpochLoop._broadcast_sigterm_tensor)


def test_history_is_cut_back_and_never_filled_up(tmp_path: Path) -> None:
    """A history that lost its end (a full disk, a crash) is shorter than the checkpoint says: no zeros may fill it."""
    run = training(tmp_path, max_epochs=3)
    with pytest.raises(Killed):
        run.go(Scripted([0.5, 0.2, 0.1], stop_in=("step", N_BATCH)))
    text = (tmp_path / "history.csv").read_text(encoding="utf-8")
    (tmp_path / "history.csv").write_text("".join(text.splitlines(keepends=True)[:3]), encoding="utf-8")
    run.go(Scripted([0.5, 0.2, 0.1]), resume=True)
    assert "\0" not in (tmp_path / "history.csv").read_text(encoding="utf-8")
    assert [step for _, step, _ in run.rows("val/loss")] == [2 * N_BATCH, 3 * N_BATCH]
