"""How soon the trainings were good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from root_gnn import plots
from root_gnn.analysis.learning import Learning
from root_gnn.metrics.formatting import format_over_seeds
from root_gnn.pages.html import paragraph, picture, table
from root_gnn.study.answer import Answer, StudyQuestion
from root_gnn.study.speed import Speed, learnings, speeds

HOW_FAST = (
    "Validation AUC, mean over seeds with the 68 % error of the mean; in brackets how many seeds got there, where not "
    "all did. Times are training alone, without reading, validation and evaluation."
)


class Config(Answer):
    """Learning curves, and the figures of `root_gnn.study.speed` over seeds."""

    title: ClassVar[str] = "{question}: how fast"
    order: ClassVar[int] = 20

    def of_question(self, question: StudyQuestion) -> dict[int, dict[str, Speed]]:
        """By training size and group."""
        return {cell.train_events: speeds(result.members) for cell, result in question.cells.items()}

    def question_section(self, question: StudyQuestion, folder: Path) -> Iterator[str]:
        """Learning curves at the smallest and the largest size, and a table of all sizes."""
        yield paragraph(HOW_FAST)
        yield from _speed(question, folder)


def _speed(question: StudyQuestion, folder: Path) -> Iterator[str]:
    for cell in dict.fromkeys((next(iter(question.cells)), question.largest_cell)):
        curves = learnings(question.cells[cell].members)
        if curves:
            draw_learning(curves, folder / "learning.svg")
            yield picture(
                folder / "learning.svg",
                f"{cell.title}: validation AUC along the training; lines are means over seeds as far as "
                "all go, bands reach from the lowest seed to the highest.",
            )
    yield table(
        (
            "group",
            "training events",
            "AUC after epoch 5",
            "AUC at the end",
            "epochs to within 1 % of that",
            "seconds to 99.9 % of scratch's best",
            "seconds in all",
        ),
        [
            (
                group,
                f"{size:,}",
                *map(format_over_seeds, (one.immediate, one.ultimate, one.epochs, one.to_scratch, one.seconds)),
            )
            for size, groups in question.value("speed").items()
            for group, one in groups.items()
        ],
    )


def draw_learning(curves: Mapping[str, Sequence[Learning]], path: Path) -> None:
    """Validation AUC by epoch, step and second."""
    labels = next(iter(curves.values()))[0].curves
    plots.learning(
        {label: {name: [one.curves[label] for one in seeds] for name, seeds in curves.items()} for label in labels},
        path,
    )
