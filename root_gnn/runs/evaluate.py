"""Evaluation of a trained run: metrics, predictions and plots. Choices are made on validation, results are on test."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

import root_gnn.plots as plots
from root_gnn.atomic import atomic_file, write_json
from root_gnn.console import log
from root_gnn.data.events.config import DataConfig
from root_gnn.data.events.loader import evaluation_loader
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.table import EventTable, open_table
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError
from root_gnn.metrics.registry import reported_metrics
from root_gnn.protocols import Supervised
from root_gnn.runs.build import data_folder, question
from root_gnn.runs.run import Run, SplitName, load_run, reading_spec
from root_gnn.runs.setup import TrainingSetup
from root_gnn.training.evaluation import ModelOutputs, figures, model_outputs
from root_gnn.training.fit import FitResult

SPLITS: tuple[SplitName, ...] = ("validation", "test")
BATCH_SIZE = 1024
AT_BEST_EPOCH = {
    "loss": "val/loss",
    "probe_auc": "probe/auc",
    "cosine": "ssl/cosine",
    "effective_rank": "ssl/effective_rank",
}
"""Figures of a run without labels, and where `history.csv` has them."""


def evaluate(
    folder: Path | str,
    *,
    split: SplitName | None = None,
    spec: str | None = None,
    files: Sequence[Path | str] = (),
    variation: str | None = None,
    data_dir: Path | str | None = None,
    allow_plugins: Collection[str] = (),
    setup: TrainingSetup | None = None,
    fitted: FitResult | None = None,
) -> Run:
    """Writes `metrics.json`, `predictions/<split>.parquet` and `plots/*.png` of a run.

    Args:
        folder: the run folder.
        split: a split of the run's own data; by default validation and test.
        spec: the spec that other files are read with; with a variation and no files, the run's own files.
        files: other files, all events of which become the split `files`; `CLASS=FILE` gives a file's class where the
            classes of the spec's label are not those of the run.
        variation: one of `systematics` of the spec; results then carry its name, as in `test_JET_up`.
        data_dir: the data folder; by default that of the environment.
        allow_plugins: modules outside of root_gnn that the run may import.
        setup: the training that has just ended; its open table, splits and network are used. Without it all of them
            are read from the folder and from the files.
        fitted: the outcome of that training; without it the entries of `metrics.json` on the training and on other
            splits are preserved.

    Raises InputError where the files' classes are unknown or their node features are not those of the run.
    """
    run = load_run(folder, allow_plugins=allow_plugins)
    run.check_keeps_results()
    objective = run.objective if setup is None else setup.trained()
    path = run.folder / "metrics.json"
    content: dict[str, Any] = run.metrics if path.exists() and fitted is None else {}
    if fitted is not None:
        content |= {
            "best_epoch": fitted.best_epoch,
            "seconds": fitted.seconds,
            "events_per_second": fitted.n_event / max(fitted.seconds, 1e-9),
            "n_parameters": sum(parameter.numel() for parameter in objective.parameters()),
            "device": fitted.device,
        }
    splits = content.setdefault("splits", {})
    if not isinstance(objective, Supervised):
        if files or spec is not None or variation is not None:
            raise InputError(
                f"{run.folder} was trained without labels, so it has no scores on other files or "
                "variations; finetune it, or "
                f"use embed"
            )
        splits |= _unlabelled(run, content.get("best_epoch"))
    else:
        reading = reading_spec(run, spec)
        reading = reading if variation is None else reading.variation(variation)
        suffix = "" if variation is None else f"_{variation}"
        if files or (spec is not None and variation is None):
            table = other_files(run, reading, files, data_folder(data_dir))
            rows = {"files": np.arange(len(table))}
        else:
            table = run.table(data_dir, spec=reading) if setup is None else setup.table
            known = split_table(table, run.recipe.data.split) if setup is None else setup.splits
            rows = {name: known[name] for name in (SPLITS if split is None else (split,))}
        splits |= {
            name + suffix: _evaluated(run, objective, name + suffix, table, index) for name, index in rows.items()
        }
    (run.folder / "plots").mkdir(exist_ok=True)
    plots.learning_curves(run.history, run.folder / "plots" / "learning_curves.png")
    write_json(path, content)
    for name, entry in splits.items():
        if said := _said(entry):
            log.info("%s: %s %s on %s events", run.folder, name, said, f"{entry['n_events']:,}")
    return run


def _said(entry: Mapping[str, Any]) -> str:
    """Returns the first defined of AUC, accuracy and loss as text; without labels the metrics at the best epoch."""
    if "probe_auc" in entry:
        return ", ".join(
            f"{name.replace('_', ' ')} {entry[name]:.4g}" for name in AT_BEST_EPOCH if entry[name] is not None
        )
    known = next((quantity for quantity in ("auc", "accuracy", "loss") if entry.get(quantity) is not None), None)
    if known is None:
        return ""
    error = "" if entry.get(f"{known}_error") is None else f" +- {entry[f'{known}_error']:.4f}"
    return f"{known.upper() if known == 'auc' else known} {entry[known]:.4f}{error}"


def _unlabelled(run: Run, best_epoch: int | None) -> dict[str, Any]:
    """Returns entries of a run without labels: validation metrics at `best_epoch` (from 1).

    All that needs scores is None.
    """
    undefined: dict[str, Any] = {"sum_of_weights": None}
    for metric in reported_metrics():
        undefined |= metric.combined([])
    entries: dict[str, Any] = {name: {"n_events": run.plan["events"][name], **undefined} for name in SPLITS}
    for name, tag in AT_BEST_EPOCH.items():
        rows = run.history.get(tag, np.empty((0, 3)))
        here = rows[rows[:, 0] + 1 == best_epoch, 2]
        entries["validation"][name] = float(here[-1]) if len(here) else None
    return entries


def tells_classes(spec: Spec, run: Run) -> bool:
    """Returns whether the classes of a spec's label are those of the run, so that files need no class names."""
    return spec.label is not None and spec.label.names == question(run.recipe.data, run.spec).classes


def other_files(run: Run, reading: Spec, files: Sequence[Path | str], data_dir: Path) -> EventTable:
    """Opens events that the run was not made for, with the classes of the run.

    Args:
        run: the trained network.
        reading: how the files are read.
        files: files by class.
        data_dir: folder that relative names refer to.

    Raises InputError where the class of a file is not known, or a class has no file.
    """
    if not files:
        raise InputError(
            "--spec names how to read other files; name them with --files FILE... or --files CLASS=FILE..."
        )
    if tells_classes(reading, run):
        return open_table(DataConfig(files=tuple(map(str, files))), data_dir, spec=reading)
    classes: dict[str, list[str]] = {name: [] for name in question(run.recipe.data, run.spec).classes}
    for given in map(str, files):
        name, sign, file = given.partition("=")
        if not sign or name not in classes:
            why = (
                "has no label"
                if reading.label is None
                else f"labels {', '.join(reading.label.names)} and {run.name} tells others apart"
            )
            raise InputError(
                f"--files {given}: the spec {reading.name} {why}, so say the class of each file as CLASS=FILE, "
                f"with a class among {', '.join(classes)}"
            )
        classes[name].append(file)
    named = {name: tuple(paths) for name, paths in classes.items() if paths}
    if len(named) < len(classes):
        raise InputError(
            "--files lacks a file of "
            f"{', '.join(name for name in classes if name not in named)}; metrics need every class"
        )
    return open_table(DataConfig(classes=named), data_dir, spec=reading)


def _evaluated(
    run: Run, objective: Supervised, name: str, table: EventTable, index: NDArray[np.int64]
) -> dict[str, Any]:
    """Computes the metrics of some events, and writes their predictions and plots.

    Args:
        run: the run.
        objective: its network, in evaluation mode.
        name: the split.
        table: the events.
        index: rows of the split's events, `(n_event,)`.
    """
    table.check_labels()
    whole = WholeEvents.of(table) if run.recipe.objective.whole_events else None
    index = index if whole is None else whole.leading(index)
    found = model_outputs(objective, evaluation_loader(table, index, BATCH_SIZE, whole=whole))
    entry = figures(found, objective, lumi_weights=table.cross_section_weights(index))
    write_predictions(run.folder / "predictions" / f"{name}.parquet", found, objective, table)
    if not name.startswith("validation") and objective.link == "softmax":
        _plot(run.folder / "plots", "" if name == "test" else f"_{name}", found, objective)
    return entry


def write_predictions(path: Path, found: ModelOutputs, objective: Supervised, table: EventTable) -> None:
    """Writes one row for each event: id columns, `weight`, the truth, and a score for each output."""
    columns: dict[str, NDArray[Any]] = {name: found.ids[:, k] for k, name in enumerate(table.spec.id_names)}
    columns["weight"] = found.weights
    if found.truth.ndim == 1:
        columns["label"] = found.truth
    else:
        columns |= {name: found.truth[:, k] for k, name in enumerate(objective.outputs())}
    columns |= {f"score_{name}": found.probabilities[:, k] for k, name in enumerate(objective.outputs())}
    with atomic_file(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")


def _plot(folder: Path, suffix: str, found: ModelOutputs, objective: Supervised) -> None:
    folder.mkdir(exist_ok=True)
    classes = objective.outputs()
    plots.scores(found.probabilities, found.truth, found.weights, classes, folder / f"scores{suffix}.png")
    plots.confusion(found.probabilities, found.truth, found.weights, classes, folder / f"confusion{suffix}.png")
    curves: dict[str, tuple[ArrayLike, ArrayLike, ArrayLike | None]] = {
        name: (found.probabilities[:, k], np.equal(found.truth, k).astype(np.int64), found.weights)
        for k, name in enumerate(classes)
        if len(classes) > 2 or k == 1
    }
    plots.roc(curves, folder / f"roc{suffix}.png")
