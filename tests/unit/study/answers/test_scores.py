"""Curves of scores as they are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from root_gnn import plots
from root_gnn.metrics.calibration import calibration_error
from root_gnn.plots import Band
from root_gnn.study.answers.scores import calibrations


def test_bins_without_events_are_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score = np.repeat([0.1, 0.9], 50)
    calibration = calibration_error(score, (np.arange(100) % 10 < 10 * score).astype(int), n_bin=5, n_replica=5)
    drawn: dict[str, Any] = {}
    monkeypatch.setattr(plots, "calibration", lambda curves, path, label: drawn.update(curves, label=label, path=path))
    calibrations({"a": calibration, "none": None}, tmp_path / "c.svg", label="WH")
    band: Band = drawn["a"]
    np.testing.assert_allclose(band.x, [0.1, 0.9])
    np.testing.assert_allclose(band.value, [0.1, 0.9])
    assert np.all(band.low < band.value) and "none" not in drawn and drawn["label"] == "WH"
