"""How the test AUC depends on the size of pretraining.

A power law through networks pretrained alike on fewer or more events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from root_gnn import plots
from root_gnn.metrics.formatting import UNDEFINED, format_number
from root_gnn.metrics.power_law import PowerLaw, power_law
from root_gnn.pages.html import heading, paragraph, picture, said, table
from root_gnn.plots import Band, Interval
from root_gnn.study.answer import Answer, StudyAnswers
from root_gnn.study.plan import Pretraining
from root_gnn.study.results import Results

FEWEST_SIZES = 3
AMOUNT = (
    "data.train_events=",
    "data.max_events=",
    "train.max_epochs=",
    "train.max_steps=",
)  # what may differ in one series


class Config(Answer):
    """Power laws of 1 - AUC in the number of training events of the pretraining."""

    order: ClassVar[int] = 80

    def of_study(self, study: StudyAnswers) -> dict[str, SizePowerLaw]:
        """By question and mode."""
        return size_power_laws(study.results)

    def study_content(self, value: Any) -> dict[str, Any]:
        """Under `scaling`."""
        return {"scaling": value}

    def study_section(self, study: StudyAnswers, folder: Path) -> Iterator[str]:
        """A picture and a table of the laws."""
        yield from _section(study.value(self.name), folder)


@dataclass(frozen=True)
class SizePowerLaw:
    """1 - AUC of a task at its smallest training size against the training events of pretraining.

    `law` is None where none fits the `points`.
    """

    train_events: int
    points: dict[int, Interval]
    law: PowerLaw | None


def size_power_laws(results: Results) -> dict[str, SizePowerLaw]:
    """The law of each series of three sizes of pretraining or more, by question and mode.

    Where there are several series the name holds the first pretraining of the series, too.
    """
    found = {}
    every = _series(results)
    for question, cells in results.questions().items():
        cell, answer = next(iter(cells.items()))
        groups = {group.name: group.auc for group in answer.comparison.groups}
        for series, mode in ((series, mode) for series in every for mode in results.study.modes):
            known = {size: one for size, name in series.items() if (one := groups.get(f"{name}, {mode}")) is not None}
            if len(known) >= FEWEST_SIZES:
                points = {size: Interval(1.0 - one.mean, 1.0 - one.high, 1.0 - one.low) for size, one in known.items()}
                which = f", {next(iter(series.values()))}" if len(every) > 1 else ""
                found[f"{question}, {mode}{which}"] = SizePowerLaw(cell.train_events, points, _law(points))
    return found


def _law(points: Mapping[int, Interval]) -> PowerLaw | None:
    errors = [max((one.high - one.low) / 2.0, 1e-9) for one in points.values()]
    return power_law(list(points), [one.value for one in points.values()], errors)


def _series(results: Results) -> list[dict[int, str]]:
    """Pretrainings that differ by their amount only: their names by the number of training events, ascending."""
    alike: dict[tuple[object, ...], dict[int, str]] = {}
    for name, run in results.pretrained.items():
        alike.setdefault(_kind(results.study.pretrained[name]), {})[run.plan["events"]["train"]] = name
    return [dict(sorted(sizes.items())) for sizes in alike.values() if len(sizes) >= FEWEST_SIZES]


def _kind(one: Pretraining) -> tuple[object, ...]:
    return one.recipe, one.folder, tuple(sorted(override for override in one.set if not override.startswith(AMOUNT)))


def _section(laws_by_name: Mapping[str, SizePowerLaw], folder: Path) -> Iterator[str]:
    yield heading("Size of pretraining")
    if not laws_by_name:
        yield said(
            "A law of the size of pretraining takes one recipe at three sizes or more, which this study does not have."
        )
        return
    laws(laws_by_name, folder / "scaling.svg")
    yield picture(
        folder / "scaling.svg",
        "1 - AUC of the tasks at their smallest training size against the events of pretraining, with "
        "68 % intervals; lines are power laws through them, bands their 68 % errors.",
    )
    rows = []
    for name, one in laws_by_name.items():
        law, sizes = one.law, ", ".join(f"{size:,}" for size in one.points)
        rows.append(
            (name, f"{one.train_events:,}", sizes, *[UNDEFINED] * 3)
            if law is None
            else (
                name,
                f"{one.train_events:,}",
                sizes,
                format_number(law.exponent.value, law.exponent.error, digits=3),
                f"{format_number(law.scale.value, law.scale.error, digits=4)} at {law.reference:,.0f}",
                UNDEFINED if law.chi2 is None else f"{law.chi2:.1f} / {law.n_dof}",
            )
        )
    yield paragraph("1 - AUC = scale (size / reference)^-exponent; the reference is the geometric mean of the sizes.")
    yield table(
        (
            "task and mode",
            "training events",
            "sizes of pretraining",
            "exponent",
            "scale and reference",
            "chi2 / degrees of freedom",
        ),
        rows,
    )


def laws(found: Mapping[str, SizePowerLaw], path: Path) -> None:
    """1 - AUC against the size of pretraining with the fitted power laws."""
    plots.scaling(
        {
            name: (one.points, None if one.law is None else _band(one.law, list(one.points)))
            for name, one in found.items()
        },
        path,
    )


def _band(law: PowerLaw, sizes: Sequence[int]) -> Band:
    x = np.geomspace(min(sizes), max(sizes), 40)
    at = [law.at(size) for size in x]
    value, error = np.array([one.value for one in at]), np.array([one.error for one in at], dtype=np.float64)
    return Band(x, value, np.maximum(value - error, 1e-6), value + error)
