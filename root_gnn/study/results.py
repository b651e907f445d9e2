"""What came of a study: finished runs by group, their comparisons, and what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from root_gnn.analysis.comparison import Comparison
from root_gnn.runs.run import Run
from root_gnn.study.plan import Cell, Study, Version
from root_gnn.study.rows import row
from root_gnn.study.tree_baseline import baseline_rows


@dataclass(frozen=True)
class CellResult:
    """The runs of one cell by group, seeds in order, and their comparison.

    `floor` is the comparison with boosted trees, if there is one.
    """

    members: Mapping[str, list[Run]]
    comparison: Comparison
    floor: Comparison | None = None


@dataclass(frozen=True)
class Results:
    """What a study found: an answer for each cell, the pretrained runs, and the trainings that failed with the reason.

    `folder` holds the files of the study, `data_dir` is where its data paths begin.
    """

    study: Study
    answers: Mapping[Cell, CellResult]
    pretrained: Mapping[str, Run]
    failures: Mapping[str, str]
    folder: Path
    data_dir: Path

    def questions(self) -> dict[str, dict[Cell, CellResult]]:
        """The answers by task and version in words, ordered by size."""
        found: dict[str, dict[Cell, CellResult]] = {}
        for cell, answer in sorted(self.answers.items(), key=lambda item: item[0].train_events):
            found.setdefault(cell.question, {})[cell] = answer
        return dict(sorted(found.items(), key=lambda item: [cell.question for cell in self.answers].index(item[0])))

    def data_of(self, cell: Cell) -> Path:
        """Where the data paths of a cell's trainings begin."""
        return self.data_dir / self.study.data.get(cell.version, Version()).folder

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Of each cell."""
        return tuple(answer.comparison for answer in self.answers.values())

    @property
    def floors(self) -> tuple[Comparison, ...]:
        """Of each cell that has a floor, every group beside it."""
        return tuple(answer.floor for answer in self.answers.values() if answer.floor is not None)

    def __str__(self) -> str:
        runs = [
            f"{name}: {run.plan['n_parameters']:,} parameters"
            for name, run in self.pretrained.items()
            if "n_parameters" in run.plan
        ]
        failed = [f"failed: {name}: {reason}" for name, reason in self.failures.items()]
        return "\n\n".join([*map(str, (*self.comparisons, *self.floors)), *runs, *self.study.notes, *failed])

    def rows(self) -> list[dict[str, Any]]:
        """One row per training, and for the floor of each cell one per seed, as in `study.parquet`."""
        finished = {
            run.name: run for answer in self.answers.values() for runs in answer.members.values() for run in runs
        }
        finished |= self.pretrained
        rows = [
            row(one, finished.get(one.name), failure=self.failures.get(one.name, ""))
            for one in self.study.pretrainings()
        ]
        for cell, groups in self.study.groups().items():
            for group, one in ((group, one) for group, members in groups.items() for one in members):
                failure = self.failures.get(one.name, "")
                rows.append(row(one, finished.get(one.name), group=group, version=cell.version, failure=failure))
        for cell, answer in self.answers.items():
            if answer.floor is not None:
                rows += baseline_rows(cell, answer.floor, self.folder / "runs")
        return rows
