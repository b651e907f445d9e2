"""The progress of a training: what is left to do, and the figures of the last validation."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from scripted_training import Scripted, Training

from root_gnn.training.config import TrainConfig


def test_every_epoch_leaves_a_line_with_its_figures(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="root_gnn"):
        Training(tmp_path, TrainConfig(max_epochs=2, batch_size=3)).go(Scripted([2.0, 1.0]))
    lines = [record.getMessage() for record in caplog.records]
    for epoch, loss in ((1, "2.0000"), (2, "1.0000")):
        assert any(line.startswith(f"epoch {epoch}: ") and f"val/loss {loss}" in line for line in lines)
    assert any(line.startswith("training scripted: 18 of 18 events") for line in lines)
