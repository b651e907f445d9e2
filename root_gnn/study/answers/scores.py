"""What the scores are like: ROC curves, calibration, distributions and confusion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from root_gnn import plots
from root_gnn.analysis.predictions import Predictions, read_predictions
from root_gnn.metrics.calibration import Calibration, calibration_error, confidence_calibration
from root_gnn.metrics.formatting import UNDEFINED, format_number
from root_gnn.metrics.rejection import rejections
from root_gnn.pages.html import paragraph, picture, pictures, said, table
from root_gnn.plots import Band
from root_gnn.runs.run import Run
from root_gnn.study.answer import Answer, StudyQuestion

HOW_CALIBRATED = (
    "The expected calibration error is the mean distance of the curve from the diagonal. Even perfect probabilities "
    "give more than zero in a finite sample: 95 % of samples of such stay below the level beside it. First seed of "
    "each group."
)


EFFICIENCIES = tuple(np.linspace(0.05, 1.0, 39))
N_REPLICA = 50
Members = Mapping[str, Sequence[Run]]


class Config(Answer):
    """The calibration of the first seed of each group at the largest size, and pictures of the scores."""

    title: ClassVar[str] = "{question}: scores"
    order: ClassVar[int] = 30

    def of_question(self, question: StudyQuestion) -> dict[str, Calibration | None]:
        """The calibration curve by group."""
        return {name: _calibration(runs[0]) for name, runs in question.largest.members.items()}

    def question_content(self, value: Any) -> dict[str, Any]:
        """Under `calibration`."""
        return {"calibration": value}

    def question_section(self, question: StudyQuestion, folder: Path) -> Iterator[str]:
        """Curves, table and histograms."""
        yield from _scores(question, folder)


def _calibration(run: Run) -> Calibration | None:
    found = read_predictions(run)
    of = calibration_error if len(found.classes) == 2 else confidence_calibration
    return of(found.scores, found.label, found.weight)


def _scores(question: StudyQuestion, folder: Path) -> Iterator[str]:
    cell, answer = question.largest_cell, question.largest
    classes = answer.comparison.classes
    binary = len(classes) == 2
    calibration: dict[str, Calibration | None] = question.value("scores")
    drawn = []
    if binary:
        draw_roc(answer.members, folder / "roc.svg")
        drawn.append(
            picture(
                folder / "roc.svg",
                f"{cell.title}: background rejection against signal efficiency, mean over seeds with the "
                "68 % band of events and seeds, and its ratio to scratch.",
            )
        )
    calibrations(calibration, folder / "calibration.svg", label=classes[-1] if binary else "the most probable class")
    drawn.append(
        picture(folder / "calibration.svg", f"{cell.title}: calibration curves with 68 % errors of the events.")
    )
    yield pictures(drawn)
    yield paragraph(HOW_CALIBRATED)
    yield table(
        ("group", "expected calibration error", "95 % of perfect samples below"),
        [
            (name, UNDEFINED, UNDEFINED)
            if one is None
            else (name, format_number(one.ece, one.ece_error, digits=3), f"{one.null:.3f}")
            for name, one in calibration.items()
        ],
    )
    drawn = []
    for name, runs in answer.members.items():
        one = read_predictions(runs[0])
        probabilities = one.probabilities
        plots.scores(probabilities, one.label, one.weight, classes, folder / "scores.svg")
        drawn.append(picture(folder / "scores.svg", f"{cell.title}, {name}: scores of each true class, first seed."))
        if not binary:
            plots.confusion(probabilities, one.label, one.weight, classes, folder / "confusion.svg")
            drawn.append(
                picture(folder / "confusion.svg", f"{cell.title}, {name}: confusion of the classes, first seed.")
            )
    yield pictures(drawn)
    if binary:
        yield said("Two classes: a confusion matrix would hold one point of the ROC curve, and is left out.")


def draw_roc(members: Members, path: Path) -> None:
    """Background rejection of each group with the band of events and seeds, and its ratio to scratch."""
    bands = {name: _roc_band([read_predictions(run) for run in runs]) for name, runs in members.items()}
    plots.roc_bands(bands, path, reference="scratch" if "scratch" in bands and len(bands) > 1 else None)


def _roc_band(seeds: Sequence[Predictions]) -> Band:
    """Geometric mean over seeds with its 68 % band.

    The error of the events, from the first seed, and the spread of the seeds are added in quadrature.
    """
    first = rejections(
        seeds[0].scores, seeds[0].label, seeds[0].weight, signal_efficiencies=EFFICIENCIES, n_replica=N_REPLICA
    )
    of_events = np.array([math.nan if one is None or one.error is None else one.error / one.value for one in first])
    each = [
        rejections(one.scores, one.label, one.weight, signal_efficiencies=EFFICIENCIES, n_replica=0) for one in seeds
    ]
    logs = np.array([[math.nan if one is None else math.log(one.value) for one in found] for found in each])
    of_seeds = np.std(logs, axis=0, ddof=1) / math.sqrt(len(logs)) if len(logs) > 1 else np.zeros(len(EFFICIENCIES))
    value, ratio = np.exp(logs.mean(axis=0)), np.exp(np.hypot(of_events, of_seeds))
    return Band(np.array(EFFICIENCIES), value, value / ratio, value * ratio)


def calibrations(found: Mapping[str, Calibration | None], path: Path, *, label: str) -> None:
    """The calibration curve of each group, bins without events left out."""
    curves = {}
    for name, one in found.items():
        if one is not None:
            kept = np.isfinite(one.observed) & (one.n_event > 1)
            x, y, error = one.predicted[kept], one.observed[kept], one.error[kept]
            curves[name] = Band(x, y, y - error, y + error)
    plots.calibration(curves, path, label=label)
