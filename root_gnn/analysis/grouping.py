"""Sorts runs into groups that can be compared: by task, then by mode, source and training size; seeds differ."""

from __future__ import annotations

from collections.abc import Sequence

from root_gnn.analysis.comparison import Comparison
from root_gnn.errors import InputError
from root_gnn.runs.run import Run


def compared(runs: Sequence[Run]) -> tuple[list[Comparison], list[str]]:
    """Compares the groups of every task that has two of them; the second list says why another task has no comparison.

    The reference is training from scratch on the smallest training set where there is such a group, else the first
    group.
    """
    found, problems = [], []
    for classes, members in by_task(runs).items():
        groups = by_training(members)
        if len(groups) < 2:
            continue
        from_scratch = [
            (group[0].plan["events"]["train"], name)
            for name, group in groups.items()
            if group[0].plan["mode"] == "scratch"
        ]
        try:
            found.append(Comparison.of(groups, reference=min(from_scratch)[1] if from_scratch else None))
        except InputError as error:
            problems.append(f"{' against '.join(reversed(classes))}: {error}")
    return found, problems


def by_task(runs: Sequence[Run]) -> dict[tuple[str, ...], list[Run]]:
    """Returns finished classifiers by the classes that they separate."""
    found: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        classes = tuple(run.recipe.data.classes) or (tuple(run.spec.label.classes) if run.spec.label else ())
        has_predictions = (run.folder / "predictions" / "test.parquet").is_file()
        if len(classes) > 1 and has_predictions:
            found.setdefault(classes, []).append(run)
    return found


def by_training(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Returns runs by how they were trained, with names that tell the groups apart."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        source = f" from {run.plan['source']}" if run.plan["source"] else ""
        found.setdefault(f"{run.plan['mode']}{source}, {run.plan['events']['train']:,} events", []).append(run)
    return found
