"""Metrics of a study over seeds: the value of each seed, and its difference from scratch with the same seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from root_gnn.metrics.metric import Metric
from root_gnn.metrics.registry import reported_metrics
from root_gnn.metrics.seeds import OverSeeds, over_seeds
from root_gnn.runs.run import Run


class SeedFigure(NamedTuple):
    """A metric on the test split over the seeds of a group, and its gain over scratch; None where no seed has one."""

    value: OverSeeds | None
    gain: OverSeeds | None


def seed_metrics() -> list[Metric]:
    """The metrics that the page tabulates over seeds."""
    return [metric for metric in reported_metrics() if metric.has_seed_table]


def seed_figures(members: Mapping[str, Sequence[Run]]) -> dict[str, dict[str, SeedFigure]]:
    """By group and metric, over the seeds of `members`; gains are paired by seed with those of the group `scratch`."""
    metrics = seed_metrics()
    entries = {name: {run.recipe.seed: _test_entry(run) for run in runs} for name, runs in members.items()}
    return {
        name: {metric.name: _figure(metric, by_seed, entries["scratch"]) for metric in metrics}
        for name, by_seed in entries.items()
    }


def _test_entry(run: Run) -> Mapping[str, Any]:
    entry: Mapping[str, Any] = run.metrics["splits"].get("test", {})
    return entry


def _figure(
    metric: Metric, group: Mapping[int, Mapping[str, Any]], scratch: Mapping[int, Mapping[str, Any]]
) -> SeedFigure:
    values = {seed: metric.value(entry) for seed, entry in group.items()}
    pairs = [(value, metric.value(scratch[seed])) for seed, value in values.items() if seed in scratch]
    gains = [None if own is None or other is None else own - other for own, other in pairs]
    return SeedFigure(over_seeds(list(values.values())), over_seeds(gains))
