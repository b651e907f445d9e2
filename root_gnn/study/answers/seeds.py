"""Metrics over seeds: the value of each seed, and its difference from scratch with the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from root_gnn.metrics.formatting import UNDEFINED, format_number, format_over_seeds
from root_gnn.metrics.metric import Metric
from root_gnn.metrics.registry import reported_metrics
from root_gnn.metrics.seeds import OverSeeds, over_seeds
from root_gnn.pages.html import said, table
from root_gnn.runs.run import Run
from root_gnn.study.answer import Answer, StudyQuestion


class Config(Answer):
    """Every metric that is not compared event by event, against training size."""

    order: ClassVar[int] = 11

    def of_question(self, question: StudyQuestion) -> dict[int, dict[str, dict[str, SeedFigure]]]:
        """By training size, group and metric."""
        return {cell.train_events: seed_figures(result.members) for cell, result in question.cells.items()}

    def question_content(self, value: Any) -> dict[str, Any]:
        """Under `of_seeds`."""
        return {"of_seeds": value}

    def question_section(self, question: StudyQuestion, folder: Path) -> Iterator[str]:
        """A table for each metric that is defined."""
        del folder  # there are no pictures
        figures: dict[int, dict[str, dict[str, SeedFigure]]] = question.value(self.name)
        rows = [(group, f"{size:,}", of) for size, groups in figures.items() for group, of in groups.items()]
        for metric in seed_metrics():
            if all(of[metric.name].value is None for _, _, of in rows):
                yield said(f"Test {metric.title} is not defined for these runs{metric.requirement}.")
                continue
            header = (
                "group",
                "training events",
                f"test {metric.title}",
                "spread of the seeds",
                "less that of scratch, seed by seed",
            )
            yield table(header, [(group, size, *_cells(group, of[metric.name])) for group, size, of in rows])


def _cells(group: str, figure: SeedFigure) -> tuple[str, str, str]:
    spread = UNDEFINED if figure.value is None else format_number(figure.value.spread, digits=3)
    return format_over_seeds(figure.value), spread, "" if group == "scratch" else format_over_seeds(figure.gain)


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
