"""Trainings with scripted validation losses: the best epoch, early stopping, and resuming."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from lightning.pytorch.loops.training_epoch_loop import _TrainingEpochLoop
from scripted_training import N_BATCH, Killed, Scripted, training


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


def test_what_is_taken_from_lightning_is_there() -> None:
    """The method that `_trainer` replaces exists in Lightning; under another name it would still be called."""
    assert callable(_TrainingEpochLoop._broadcast_sigterm_tensor)
