"""Boosted trees on features of events beside the networks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from root_gnn.pages.html import paragraph
from root_gnn.study.answer import Answer, StudyQuestion
from root_gnn.study.compared import compared_tables

HOW_FLOOR = (
    "The floor: gradient-boosted trees (scikit-learn's HistGradientBoostingClassifier) on what an analysis would put "
    "into a table: counts, momenta, masses and distances of the hardest objects. They see the same training events "
    "with the same seeds; their size and number are the best on the same validation events. Differences are paired by "
    "test event and seed."
)


class Config(Answer):
    """The comparisons with the trees by training size, for studies that ask for them (`floor: trees`)."""

    order: ClassVar[int] = 12

    def question_section(self, question: StudyQuestion, folder: Path) -> Iterator[str]:
        """Tables of the trees and of the networks less the trees."""
        del folder  # the pictures of the sizes hold the trees too
        floors = {
            cell.train_events: result.floor for cell, result in question.cells.items() if result.floor is not None
        }
        if floors:
            yield paragraph(HOW_FLOOR)
            yield from compared_tables(floors)
