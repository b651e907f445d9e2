"""Evaluation takes what a training has open, and gives the same results when it opens everything again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from root_gnn.data.events import splits, table
from root_gnn.runs import evaluate as evaluation
from root_gnn.runs import run as runs
from root_gnn.runs import setup
from root_gnn.runs.evaluate import evaluate
from root_gnn.runs.task import finetuning_recipe
from root_gnn.runs.train import train
from root_gnn.training import fit

SMALL = ("model.dim=8", "model.n_steps=1", "train.batch_size=32", "train.max_epochs=2")
PREDICTIONS = ("validation", "test")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts the calls of what opens files, splits them and reads weights, wherever a module of runs/ calls it."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def count(*given: Any, **keywords: Any) -> Any:
            counts[name] += 1
            return function(*given, **keywords)

        return count

    for name, function in (
        ("open_table", table.open_table),
        ("split_table", splits.split_table),
        ("load_weights", fit.load_weights),
    ):
        for module in (evaluation, runs, setup, fit):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, counted(name, function))
    return counts


def test_a_training_opens_its_files_once_and_a_later_evaluation_agrees(
    calls: Counter[str], ntuples: Path, tmp_path: Path
) -> None:
    recipe = finetuning_recipe("WHvsZH", mode="scratch", model=None, train_events=60, overrides=SMALL)
    run = train(recipe, data_dir=ntuples, run_dir=tmp_path / "run")
    assert calls == {"open_table": 1, "split_table": 1, "load_weights": 1}
    metrics = json.loads((run.folder / "metrics.json").read_text())
    written = {name: pq.read_table(run.folder / "predictions" / f"{name}.parquet") for name in PREDICTIONS}
    for name in PREDICTIONS:
        (run.folder / "predictions" / f"{name}.parquet").unlink()
    evaluate(run.folder, data_dir=ntuples)
    assert calls == {"open_table": 2, "split_table": 2, "load_weights": 2}, "a later evaluation reads everything again"
    assert json.loads((run.folder / "metrics.json").read_text()) == metrics
    for name in PREDICTIONS:
        assert pq.read_table(run.folder / "predictions" / f"{name}.parquet").equals(written[name])
