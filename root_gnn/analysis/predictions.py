"""Predictions of a finished run, read back with checks that make runs comparable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from root_gnn.errors import InputError
from root_gnn.runs.run import Run, SplitName
from root_gnn.typing import Floats, Integers

SCORE = "score_"


@dataclass(frozen=True)
class Predictions:
    """Scores of a classifier on one split, in event order.

    Attributes:
        folder: the run folder.
        classes: names of the classes.
        ids: `(n_event, n_id)`.
        label: class of each event, `(n_event,)`.
        weight: signed weights, `(n_event,)`.
        scores: probability of the last class, `(n_event,)`, for two classes; of every class, `(n_event, n_class)`, for
            more.
    """

    folder: Path
    classes: tuple[str, ...]
    ids: Integers
    label: Integers
    weight: Floats
    scores: Floats

    @property
    def n_event(self) -> int:
        """Number of events."""
        return len(self.label)

    @property
    def probabilities(self) -> Floats:
        """Probability of every class, `(n_event, n_class)`."""
        return np.stack([1.0 - self.scores, self.scores], axis=1) if self.scores.ndim == 1 else self.scores


def read_predictions(run: Run, split: SplitName | Literal["files"] = "test") -> Predictions:
    """Reads `predictions/<split>.parquet` of a run; the split `files` is that of other files.

    Raises:
        InputError: where the file is missing or the run is no classifier.
    """
    return predictions_in(run.folder, run.spec.id_names, split)


def predictions_in(folder: Path, id_names: Sequence[str], split: SplitName | Literal["files"] = "test") -> Predictions:
    """Reads predictions as `read_predictions` does, from a folder; `id_names` are the columns that identify events."""
    path = folder / "predictions" / f"{split}.parquet"
    if not path.is_file():
        raise InputError(
            f"{folder} has no predictions/{split}.parquet; make it with `root-gnn evaluate {folder} --split {split}`, "
            "after the training has finished."
        )
    columns: dict[str, NDArray[Any]] = {name: column.to_numpy() for name, column in zip(*_columns(path), strict=True)}
    classes = tuple(name.removeprefix(SCORE) for name in columns if name.startswith(SCORE))
    if "label" not in columns or len(classes) < 2:
        raise InputError(
            f"{path} has no column label, so {folder.name} does not tell classes apart; compare runs that do."
        )
    missing = [name for name in id_names if name not in columns]
    if missing:
        raise InputError(
            f"{path} lacks the id column {missing[0]}; write it again with `root-gnn evaluate {folder} --split "
            f"{split}`."
        )
    scores = np.stack([columns[SCORE + name] for name in classes], axis=1).astype(np.float64)
    ids = np.stack([columns[name] for name in id_names], axis=1).astype(np.int64)
    return Predictions(
        folder,
        classes,
        ids,
        columns["label"].astype(np.int64),
        columns["weight"].astype(np.float64),
        scores[:, 1] if len(classes) == 2 else scores,
    )


def check_same_events(found: Sequence[Predictions]) -> None:
    """Raises InputError unless all predictions are of the same classes and the same events in the same order."""
    first = found[0]
    for other in found[1:]:
        if other.classes != first.classes:
            raise InputError(
                f"{first.folder} tells apart {', '.join(first.classes)}, and {other.folder} "
                f"{', '.join(other.classes)}; "
                "only runs on one task can be compared."
            )
        if other.n_event != first.n_event:
            raise InputError(
                f"{first.folder} was tested on {first.n_event:,} events and {other.folder} on {other.n_event:,}; only "
                "runs tested on the same events can be compared. Evaluate both on the same data."
            )
        for name in ("ids", "label", "weight"):
            one, two = getattr(first, name), getattr(other, name)
            rows = np.flatnonzero((one != two).reshape(len(one), -1).any(axis=1))
            if len(rows):
                raise InputError(
                    f"The test events of {first.folder} and {other.folder} differ in their {name}, first in row "
                    f"{rows[0]} of "
                    "predictions/test.parquet; only runs tested on the same events in the same order can be compared."
                )


def _columns(path: Path) -> tuple[list[str], list[Any]]:
    table = pq.read_table(path)
    return table.column_names, table.columns
