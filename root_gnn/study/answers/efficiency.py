"""How many times as many training events scratch needs for the same test AUC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from root_gnn.analysis.predictions import read_predictions
from root_gnn.metrics.data_efficiency import DataEfficiency, data_efficiency
from root_gnn.pages.html import paragraph, said, table
from root_gnn.runs.run import Run
from root_gnn.study.answer import Answer, StudyQuestion
from root_gnn.typing import Floats

HOW_EFFICIENT = (
    "How many times as many training events scratch needs for the same test AUC, read off between its own sizes; "
    "nothing is extrapolated. Intervals are 68 %, over events and seeds."
)


class Config(Answer):
    """The data-efficiency factor of each group at each size; needs two sizes and two classes."""

    order: ClassVar[int] = 13

    def of_question(self, question: StudyQuestion) -> dict[str, tuple[DataEfficiency, ...] | None]:
        """By group; only of those that were trained at all sizes with all seeds of scratch."""
        return _efficiency(question)

    def highlights(self, question: StudyQuestion) -> Iterator[str]:
        """The factors at the smallest size."""
        factors = {group: of[0] for group, of in question.value(self.name).items() if of}
        if factors:
            said_of = "; ".join(f"{group} {factor_of(factor)}" for group, factor in factors.items())
            size = question.smallest_cell.train_events
            yield f"{question.name}: scratch needs so many times the {size:,} events for the same AUC: {said_of}."

    def question_section(self, question: StudyQuestion, folder: Path) -> Iterator[str]:
        """A table of the factors."""
        del folder  # there are no pictures
        if len(question.cells) == 1:
            yield said("One training size only, so nothing is said of how many fewer events give the same AUC.")
            return
        yield paragraph(HOW_EFFICIENT)
        rows = [
            (group, f"{one.size:,}", f"{one.figure:.3f}", factor_of(one))
            for group, each in question.value(self.name).items()
            for one in each or ()
        ]
        yield table(("group", "training events", "test AUC", "data-efficiency factor [68 %]"), rows)


def _efficiency(question: StudyQuestion) -> dict[str, tuple[DataEfficiency, ...] | None]:
    cells = question.cells
    names = [name for name in list(cells.values())[-1].members if name != "scratch"]
    if len(cells) < 2 or len(next(iter(cells.values())).comparison.classes) > 2:
        return {}
    read = {name: [_scores(answer.members.get(name, [])) for answer in cells.values()] for name in ("scratch", *names)}
    one = read_predictions(next(iter(cells.values())).members["scratch"][0])
    sizes = [cell.train_events for cell in cells]
    complete = [name for name in names if len({scores.shape for scores in (*read[name], *read["scratch"])}) == 1]
    return {name: data_efficiency(sizes, read[name], read["scratch"], one.label, one.weight) for name in complete}


def _scores(runs: Sequence[Run]) -> Floats:
    return np.stack([read_predictions(run).scores for run in runs]) if runs else np.zeros((0, 0))


def factor_of(found: DataEfficiency) -> str:
    """A data-efficiency factor in words."""
    low, high = ("no limit" if end is None else f"{end:.1f}" for end in (found.low, found.high))
    kind = "" if found.kind == "measured" else f"{found.kind} "
    return f"{kind}{found.factor:.1f} [{low}, {high}]"
