"""What an answer of a study is: one file of `root_gnn/study/answers/` with a class `Config`, and nothing else.

The file computes the answer from finished runs, says what of it `study.json` holds, and writes its part of the page. It
needs no more than this:

    class Config(Answer):
        '''How long the networks took.'''

        title: ClassVar[str] = "{question}: how long"

        def of_question(self, question: Question) -> dict[str, float]:
            return {group: runs[0].metrics["seconds"] for group, runs in question.largest.members.items()}

        def question_section(self, question: Question, folder: Path) -> Iterator[str]:
            yield table(("group", "seconds"), [(k, f"{v:.1f}") for k, v in question.value("how_long").items()])
"""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from root_gnn.analysis.cka import Layers, drawn
from root_gnn.config.plugins import Allowed, config_class, names
from root_gnn.config.section import Section
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.table import EventTable
from root_gnn.errors import InputError
from root_gnn.study.cka import layers_of_groups
from root_gnn.study.plan import Cell
from root_gnn.study.results import CellResult, Results
from root_gnn.typing import Index

FAMILY = "study.answers"
N_CKA_EVENT = 2000


@dataclass
class StudyQuestion:
    """A task on a version of the data, its runs, and what the answers have computed so far.

    Attributes:
        name: task and version in words.
        cells: what came of each training size, ascending.
        results: those of the whole study.
        values: by name of the answer, what its `of_question` returned.
    """

    name: str
    cells: Mapping[Cell, CellResult]
    results: Results
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def smallest_cell(self) -> Cell:
        """The cell of the smallest training size."""
        return next(iter(self.cells))

    @property
    def largest_cell(self) -> Cell:
        """The cell of the largest training size."""
        return list(self.cells)[-1]

    @property
    def largest(self) -> CellResult:
        """What came of the largest training size."""
        return self.cells[self.largest_cell]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that the networks tell apart."""
        return self.largest.comparison.classes

    def value(self, name: str) -> Any:
        """What the answer `name` has computed; raises KeyError for an answer of a higher `order`."""
        return self.values[name]

    @cached_property
    def table(self) -> EventTable:
        """The events of the first run from scratch at the largest size."""
        run = self.largest.members["scratch"][0]
        return run.table(self.results.data_of(self.largest_cell))

    @cached_property
    def test_index(self) -> Index:
        """Rows of the table that are test events, `(n_test,)`."""
        return split_table(self.table, self.largest.members["scratch"][0].recipe.data.split).test

    @cached_property
    def drawn_index(self) -> Index:
        """Rows of at most 2,000 test events, `(n,)`, on which representations are compared."""
        return drawn(self.test_index, N_CKA_EVENT)

    @cached_property
    def layers(self) -> dict[int, dict[str, list[Layers]]]:
        """By training size and group, the layers of the first seed for `drawn_index`.

        Of scratch there are two seeds, and at the largest size all.
        """
        n_scratch = dict.fromkeys(self.cells, 2) | {self.largest_cell: len(self.results.study.seeds)}
        return {
            cell.train_events: layers_of_groups(result, self.table, self.drawn_index, n_scratch=n_scratch[cell])
            for cell, result in self.cells.items()
        }

    def release(self) -> None:
        """Lets go of events and layers, which only `of_question` needs."""
        for name in ("layers", "drawn_index", "test_index", "table"):
            self.__dict__.pop(name, None)


@dataclass
class StudyAnswers:
    """All answers of a study: `questions` by name, and by name of the answer what its `of_study` returned."""

    results: Results
    questions: dict[str, StudyQuestion]
    values: dict[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """What the answer `name` has computed for the study as a whole."""
        return self.values[name]

    def content(self) -> dict[str, Any]:
        """All of it as values of JSON."""
        questions: dict[str, dict[str, Any]] = {name: {} for name in self.questions}
        content: dict[str, Any] = {"questions": questions}
        for answer in all_answers():
            for name, question in self.questions.items():
                questions[name] |= answer.question_content(question.value(answer.name))
            content |= answer.study_content(self.value(answer.name))
        return {key: as_json(value) for key, value in content.items()}


class Answer(Section, ABC):
    """One answer of a study; the name of its file is its name. A method that returns nothing leaves its part out.

    Attributes:
        title: heading of its section, where `{question}` stands for the name of a question; "" continues the section of
            the answer before.
        order: position among the answers, in computation and on the page; answers of the same order go by name.
        study_place: whether its section on the study as a whole comes before those of the questions or after them.
    """

    title: ClassVar[str] = ""
    order: ClassVar[int] = 100
    study_place: ClassVar[Literal["before", "after"]] = "after"

    @property
    def name(self) -> str:
        """The name of its file."""
        return type(self).__module__.rpartition(".")[2]

    def of_question(self, question: StudyQuestion) -> Any:
        """The answer for one question; answers of a lower `order` are there already."""
        del question  # an answer may be of the whole study only

    def of_study(self, study: StudyAnswers) -> Any:
        """The answer for the study as a whole, after all questions are answered."""
        del study  # an answer may be of questions only

    def question_content(self, value: Any) -> dict[str, Any]:
        """The keys of a question in `study.json`.

        From what `of_question` returned: under the name of the answer, unless it returned None.
        """
        return {} if value is None else {self.name: value}

    def study_content(self, value: Any) -> dict[str, Any]:
        """The keys of the study in `study.json`.

        From what `of_study` returned: under the name of the answer, unless it returned None.
        """
        return {} if value is None else {self.name: value}

    def highlights(self, question: StudyQuestion) -> Iterator[str]:
        """Sentences on a question for the summary at the top of the page."""
        del question  # most answers are not part of the summary
        yield from ()

    def question_section(self, question: StudyQuestion, folder: Path) -> Iterator[str]:
        """HTML of its section on a question, made with `root_gnn.pages.html`; pictures pass through `folder`."""
        del question, folder  # an answer may have no section
        yield from ()

    def study_section(self, study: StudyAnswers, folder: Path) -> Iterator[str]:
        """HTML of its section on the study as a whole, its heading included."""
        del study, folder  # an answer may have no section
        yield from ()


def all_answers() -> tuple[Answer, ...]:
    """The files of `root_gnn/study/answers/` in their order; raises InputError for a `Config` that is no `Answer`."""
    return tuple(sorted(map(_answer, names(FAMILY)), key=lambda answer: (answer.order, answer.name)))


def _answer(name: str) -> Answer:
    config = config_class(FAMILY, name, Allowed())
    if not issubclass(config, Answer):
        raise InputError(f"the class Config of root_gnn.{FAMILY}.{name} must be a root_gnn.study.answer.Answer")
    return config()


def study_answers(results: Results) -> StudyAnswers:
    """Computes all answers from finished runs."""
    answers = all_answers()
    questions = {name: StudyQuestion(name, cells, results) for name, cells in results.questions().items()}
    for question in questions.values():
        for answer in answers:
            question.values[answer.name] = answer.of_question(question)
        question.release()
    study = StudyAnswers(results, questions)
    for answer in answers:
        study.values[answer.name] = answer.of_study(study)
    return study


def source_of(group: str, results: Results) -> str | None:
    """The pretraining that a group starts from; None for scratch."""
    return next((name for name in results.pretrained if group.startswith(f"{name}, ")), None)


def as_json(value: Any) -> Any:
    """Arrays and dataclasses as JSON values, what is not finite as null."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if hasattr(value, "__dataclass_fields__"):
        value = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {" and ".join(key) if isinstance(key, tuple) else str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | Sequence) and not isinstance(value, str):
        return [as_json(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
