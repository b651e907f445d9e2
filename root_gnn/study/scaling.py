"""How the gain of a study grows with the size of pretraining: a power law through networks pretrained alike on fewer or more events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from root_gnn.metrics.power_law import PowerLaw, power_law
from root_gnn.plots import Interval
from root_gnn.study.plan import Pretraining
from root_gnn.study.results import Results

FEWEST_SIZES = 3
AMOUNT = (
    "data.train_events=",
    "data.max_events=",
    "train.max_epochs=",
    "train.max_steps=",
)  # what may differ in one series


@dataclass(frozen=True)
class SizePowerLaw:
    """1 - AUC of a task at its smallest training size against the training events of pretraining, and the law; None where none fits."""

    train_events: int
    points: dict[int, Interval]
    law: PowerLaw | None


def size_power_laws(results: Results) -> dict[str, SizePowerLaw]:
    """By question, mode and, where there are several, the first name of each series of three sizes of pretraining or more."""
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
