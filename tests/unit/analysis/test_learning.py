"""The course of a training: seconds follow from the rates, and add up to what the run says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from root_gnn.analysis.learning import clock, learning_of
from root_gnn.runs.run import Run

HISTORY = """epoch,step,tag,value
0,2,train/events_per_s,50.0
0,4,train/events_per_s,100.0
0,4,val/auc,0.6
1,8,train/events_per_s,25.0
1,8,val/auc,0.7
"""


@pytest.fixture
def trained(seeds: list[Run], tmp_path: Path) -> Run:
    run = Run(Path(shutil.copytree(seeds[0].folder, tmp_path / "run")))
    (run.folder / "history.csv").write_text(HISTORY)
    return run


def test_seconds_are_events_over_their_rates(trained: Run) -> None:
    n_train, batch_size = trained.plan["events"]["train"], trained.recipe.train.batch_size
    history = trained.history
    ticks = clock(history["train/events_per_s"], history["val/auc"], trained)
    first = min(2 * batch_size, n_train)
    expected = np.cumsum([first / 50.0, (min(4 * batch_size, n_train) - first) / 100.0])
    np.testing.assert_allclose(ticks[:2, 2], expected)
    np.testing.assert_array_equal(ticks[:, :2], [[0, 2], [0, 4], [1, 8]])


def test_the_seconds_of_the_run_are_the_last_ones(trained: Run) -> None:
    metrics = json.loads((trained.folder / "metrics.json").read_text())
    (trained.folder / "metrics.json").write_text(json.dumps(metrics | {"seconds": 12.0}))
    learning = learning_of(trained)
    assert learning is not None
    assert learning.seconds[-1] == pytest.approx(12.0) and 0.0 < learning.seconds[0] < 12.0
    assert learning.curves["Epoch"][0].tolist() == [1.0, 2.0]
    assert learning.curves["Optimiser step"][1].tolist() == [0.6, 0.7]


def test_a_run_without_validation_auc_has_none(seeds: list[Run]) -> None:
    assert learning_of(seeds[0]) is None
