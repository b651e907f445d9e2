"""The history of a resumed training has every row once."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted_training import N_BATCH, Killed, Scripted, Training, training

from root_gnn.training.config import TrainConfig


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


def test_a_row_a_value_with_epoch_step_and_tag(tmp_path: Path) -> None:
    training = Training(tmp_path, TrainConfig(max_epochs=2, batch_size=3, log_every=2))
    training.go(Scripted([2.0, 1.0]))
    assert training.rows("val/loss") == [(0, N_BATCH, 2.0), (1, 2 * N_BATCH, 1.0)]
    assert [step for _, step, _ in training.rows("train/loss")] == [2, 3, 4, 6]
    assert (tmp_path / "history.csv").read_text().startswith("epoch,step,tag,value\n")
