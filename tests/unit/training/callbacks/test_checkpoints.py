"""Which epoch is the best one, and what is saved."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from scripted_training import N_BATCH, Killed, Scripted, training

from root_gnn.errors import InputError


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


def test_a_value_that_is_no_number_is_never_the_best(tmp_path: Path) -> None:
    assert training(tmp_path / "first").go(Scripted([math.nan, 0.4, math.inf, 0.3, math.nan])).best_epoch == 4
    with pytest.raises(InputError, match=r"val/loss was not a finite number.*optim\.lr"):
        training(tmp_path / "all").go(Scripted([math.nan] * 5))


@pytest.mark.parametrize("early_stopping", [None, 2])
def test_an_unknown_monitor_is_told_with_what_is_measured(early_stopping: int | None, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"val/acc.*val/loss"):
        training(tmp_path, monitor="val/acc", early_stopping=early_stopping).go(Scripted([0.5] * 5))
