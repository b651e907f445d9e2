"""Figures, predictions and plots of a trained run: select on validation, report on test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from root_gnn import plots
from root_gnn.atomic import atomic_file, write_json
from root_gnn.data.table import EventTable
from root_gnn.protocols import Supervised
from root_gnn.run import Run, Split, load_run
from root_gnn.training.evaluation import Answers, figures
from root_gnn.training.fit import Fitted

SPLITS: tuple[Split, ...] = ("validation", "test")


def evaluate(folder: Path | str, *, split: Split | None = None, data_dir: Path | None = None, fitted: Fitted | None = None) -> Run:
    """Writes `metrics.json`, `predictions/<split>.parquet` and `plots/*.png` of a run; both splits unless one is named.

    `fitted` is what the training reported; without it the training's figures in `metrics.json` are kept.
    """
    run = load_run(folder)
    objective = run.objective
    path = run.folder / "metrics.json"
    content: dict[str, Any] = run.metrics if path.exists() else {}
    if fitted is not None:
        content |= {
            "best_epoch": fitted.best_epoch, "seconds": fitted.seconds, "events_per_second": fitted.n_event / max(fitted.seconds, 1e-9),
            "n_parameters": sum(parameter.numel() for parameter in objective.parameters()), "device": fitted.device,
        }
    content.setdefault("splits", {})
    (run.folder / "plots").mkdir(exist_ok=True)
    for name in SPLITS if split is None else (split,):
        if isinstance(objective, Supervised):
            content["splits"][name] = _evaluated(run, objective, name, data_dir)
        else:
            content["splits"][name] = {}
    plots.learning_curves(run.history, run.folder / "plots" / "learning_curves.png")
    write_json(path, content)
    return run


def _evaluated(run: Run, objective: Supervised, split: Split, data_dir: Path | None) -> dict[str, Any]:
    found, table, index = run.answers(split, data_dir=data_dir)
    yields = table.cross_section_weights()
    entry = figures(found, objective, lumi_weights=None if yields is None else yields[index])
    write_predictions(run.folder / "predictions" / f"{split}.parquet", found, objective, table)
    if split == "test" and objective.link == "softmax":
        _plot(run.folder / "plots", found, objective)
    return entry


def write_predictions(path: Path, found: Answers, objective: Supervised, table: EventTable) -> None:
    """One row per event: id columns, `weight`, the truth, and a score per output."""
    columns: dict[str, NDArray[Any]] = {name: found.ids[:, k] for k, name in enumerate(table.spec.id_names)}
    columns["weight"] = found.weights
    if found.truth.ndim == 1:
        columns["label"] = found.truth
    else:
        columns |= {name: found.truth[:, k] for k, name in enumerate(objective.outputs())}
    columns |= {f"score_{name}": found.probabilities[:, k] for k, name in enumerate(objective.outputs())}
    with atomic_file(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")


def _plot(folder: Path, found: Answers, objective: Supervised) -> None:
    classes = objective.outputs()
    plots.scores(found.probabilities, found.truth, found.weights, classes, folder / "scores.png")
    plots.confusion(found.probabilities, found.truth, found.weights, classes, folder / "confusion.png")
    if len(classes) == 2:
        plots.roc({classes[1]: (found.probabilities[:, 1], np.equal(found.truth, 1), found.weights)}, folder / "roc.png")
