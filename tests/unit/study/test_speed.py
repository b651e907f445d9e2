"""How soon trainings are good."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from root_gnn.analysis.learning import Learning
from root_gnn.study import speed
from root_gnn.study.speed import speeds


def test_seconds_are_to_the_level_of_scratch_with_the_same_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def learning(*auc: float) -> Any:
        rows = np.array([(epoch, epoch, value) for epoch, value in enumerate(auc)], dtype=np.float64)
        return Learning(rows, 10.0 * np.arange(1, len(auc) + 1))

    class Run:
        """A run with a seed and a course."""

        def __init__(self, seed: int, *auc: float) -> None:
            self.recipe = type("Recipe", (), {"seed": seed})
            self.metrics = {"seconds": 10.0 * len(auc)}
            self.course = learning(*auc)

    monkeypatch.setattr(speed, "learning_of", lambda run: run.course)
    scratch: Any = [Run(1, 0.5, 0.6, 0.7), Run(2, 0.5, 0.8, 0.6)]
    other: Any = [Run(1, 0.7, 0.7, 0.7), Run(2, 0.5, 0.6, 0.7)]
    found = speeds({"scratch": scratch, "a": other})["a"]
    assert found.to_scratch is not None and (found.to_scratch.mean, found.to_scratch.n_defined) == (10.0, 1)
    assert found.saved is not None and found.saved.mean == 30.0 - 10.0
    assert found.seconds is not None and found.seconds.mean == 30.0
