"""A study as a table for other programs: `study.parquet`, one row per training, and per floor where there are some."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from root_gnn.analysis.learning import learning_of
from root_gnn.atomic import atomic_file
from root_gnn.metrics.learning import best, epochs_to_final, immediate
from root_gnn.metrics.registry import reported_metrics
from root_gnn.runs.run import Run
from root_gnn.study.execution.training import Training

BEFORE_METRICS = {
    **dict.fromkeys(("run", "task", "version", "group", "mode", "source"), pa.string()),
    **dict.fromkeys(
        ("train_events", "seed", "n_train", "n_test", "n_parameters", "best_epoch", "n_epoch", "n_step"), pa.int64()
    ),
    **dict.fromkeys(("seconds", "events_per_second"), pa.float64()),
}
AFTER_METRICS = {
    **dict.fromkeys(("auc_epoch_5", "best_validation_auc", "epochs_to_1_percent"), pa.float64()),
    **dict.fromkeys(("device", "failure", "command", "versions"), pa.string()),
}


def schema() -> pa.Schema:
    """The columns of the file and their types, those of each metric among them."""
    metrics = {column: pa.float64() for metric in reported_metrics() for column in metric.columns({})}
    return pa.schema([*(BEFORE_METRICS | metrics | AFTER_METRICS).items()])


def row(
    training: Training, run: Run | None, *, group: str = "", version: str = "", failure: str = ""
) -> dict[str, Any]:
    """What is known of a training by the columns of the file; null where it is not defined or did not come to be.

    Args:
        training: the training.
        run: its run; None where it failed.
        group: the group it belongs to, "" for a pretraining.
        version: of the data.
        failure: why it failed, "" where it did not.
    """
    asked = {
        "run": training.name,
        "task": "" if training.mode is None else Path(training.what).stem,
        "version": version,
        "group": group,
        "mode": training.mode or "pretraining",
        "source": training.source,
        "train_events": training.train_events,
        "failure": failure,
        "command": shlex.join(training.command()),
    }
    found = {} if run is None else _found(run)
    return {name: asked.get(name, found.get(name)) for name in schema().names}


def _found(run: Run) -> dict[str, Any]:
    metrics, learning = run.metrics, learning_of(run)
    test = metrics["splits"].get("test", {})
    steps = [rows[-1, 1] for tag, rows in run.history.items() if tag.startswith("train/")]
    epochs = [rows[-1, 0] for tag, rows in run.history.items() if tag.startswith("train/")]
    return {
        **{key: metrics.get(key) for key in ("n_parameters", "best_epoch", "seconds", "events_per_second", "device")},
        **of_test(test),
        "seed": run.recipe.seed,
        "n_train": run.plan["events"]["train"],
        "n_step": int(max(steps)) if steps else None,
        "n_epoch": int(max(epochs)) + 1 if epochs else None,
        "auc_epoch_5": learning and immediate(learning.rows),
        "best_validation_auc": learning and best(learning.rows),
        "epochs_to_1_percent": learning and epochs_to_final(learning.rows),
        "versions": json.dumps(json.loads((run.folder / "versions.json").read_text(encoding="utf-8"))),
    }


def of_test(test: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that an entry of `metrics.json` for the test split fills."""
    columns: dict[str, Any] = {"n_test": test.get("n_events")}
    for metric in reported_metrics():
        columns |= metric.columns(test)
    return columns


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Writes the rows as parquet."""
    with atomic_file(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema()), temporary, compression="zstd")
