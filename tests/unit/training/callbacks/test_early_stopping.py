"""Early stopping counts epochs without a better one, over a resume too."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted_training import N_BATCH, Killed, Scripted, training


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
