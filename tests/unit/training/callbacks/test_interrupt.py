"""A training that is told to end saves first."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch
from scripted_training import N_BATCH, Scripted, training


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
