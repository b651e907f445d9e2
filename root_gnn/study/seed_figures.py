"""Accuracy and significance of a study: one number for each seed, and what it is less that of scratch with the same seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from root_gnn.metrics.seeds import OverSeeds, over_seeds
from root_gnn.runs.run import Run

Figures = tuple[float | None, float | None]


class SeedFigure(NamedTuple):
    """A figure of the test split over the seeds of a group, and its gain over scratch; None where no seed has one."""

    value: OverSeeds | None
    gain: OverSeeds | None


class SeedFigures(NamedTuple):
    """Accuracy, and the largest expected significance, which takes yields (`data.lumi`)."""

    accuracy: SeedFigure
    significance: SeedFigure


def seed_figures(members: Mapping[str, Sequence[Run]]) -> dict[str, SeedFigures]:
    """Of each group; gains are paired by seed."""
    found = {name: {run.recipe.seed: _figures(run) for run in runs} for name, runs in members.items()}
    return {name: SeedFigures(*(_over(each, found["scratch"], k) for k in range(2))) for name, each in found.items()}


def _figures(run: Run) -> Figures:
    test: Mapping[str, Any] = run.metrics["splits"].get("test", {})
    return test.get("accuracy"), (test.get("significance") or {}).get("max")


def _over(group: Mapping[int, Figures], scratch: Mapping[int, Figures], place: int) -> SeedFigure:
    pairs = [(one[place], scratch[seed][place]) for seed, one in group.items() if seed in scratch]
    gains = [None if own is None or other is None else own - other for own, other in pairs]
    return SeedFigure(over_seeds([one[place] for one in group.values()]), over_seeds(gains))
