"""The figures of a study beyond its comparisons, computed once for `study.json` and the page: speed, data efficiency, calibration, CKA,
class separation, cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.analysis.cka import drawn
from root_gnn.analysis.predictions import read_predictions
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.table import EventTable
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.metrics.calibration import Calibration, calibration_error, confidence_calibration
from root_gnn.metrics.cost import BreakEven
from root_gnn.metrics.data_efficiency import DataEfficiency, data_efficiency
from root_gnn.runs.run import Run
from root_gnn.study.cka import Similarity, along_training, layers_of_groups, study_similarity
from root_gnn.study.cost import Spent, operations_of_event, pays, spent
from root_gnn.study.embeddings import EmbeddedPoints, places
from root_gnn.study.importance import Worth, worth
from root_gnn.study.plan import Cell
from root_gnn.study.published_comparison import PublishedComparison, points
from root_gnn.study.results import Answer, Results
from root_gnn.study.scaling import SizePowerLaw, size_power_laws
from root_gnn.study.seed_figures import SeedFigure, seed_figures
from root_gnn.study.speed import Speed, speeds
from root_gnn.typing import Floats

Cells = Mapping[Cell, Answer]
N_CKA_EVENT, N_IMPORTANCE_EVENT = 2000, 500
FIGURES = ("of_seeds", "speed", "spent", "pays", "efficiency", "calibration", "similarity", "worth")


@dataclass(frozen=True)
class QuestionAnswers:
    """The figures of one question (a task on a version of the data)."""

    cells: Cells
    of_seeds: dict[int, dict[str, dict[str, SeedFigure]]]
    speed: dict[int, dict[str, Speed]]
    spent: dict[int, dict[str, Spent]]
    pays: dict[int, dict[str, BreakEven | None]]
    efficiency: dict[str, tuple[DataEfficiency, ...] | None]
    calibration: dict[str, Calibration | None]
    similarity: Similarity
    places: EmbeddedPoints
    worth: dict[str, Worth | None]

    @property
    def efficiency_size(self) -> int:
        """The smallest size."""
        return next(iter(self.cells)).train_events

    @property
    def last(self) -> tuple[Cell, Answer]:
        """Of the largest size."""
        return list(self.cells.items())[-1]

    def content(self) -> dict[str, Any]:
        """The figures for JSON."""
        figures = {name: getattr(self, name) for name in FIGURES}
        strength = {name: one.strength for name, one in self.places.redundancy.items()}
        return {**figures, "fisher": self.places.fisher, "silhouette": self.places.silhouette, "correlation": strength}


@dataclass(frozen=True)
class StudyAnswers:
    """Everything: by question, and of the pretrainings."""

    found: dict[str, QuestionAnswers]
    pretrainings: dict[str, Spent]
    scaling: dict[str, SizePowerLaw] = field(default_factory=dict)
    published: tuple[PublishedComparison, ...] = ()

    def content(self) -> dict[str, Any]:
        """All of it for JSON."""
        questions = {name: one.content() for name, one in self.found.items()}
        return {
            "questions": questions,
            "pretrainings": self.pretrainings,
            "scaling": self.scaling,
            "published": self.published,
        }


def study_answers(results: Results) -> StudyAnswers:
    """Computes them from finished runs; the test events of each question are encoded by the networks of each group."""
    found = {name: _found(cells, results) for name, cells in results.questions().items()}
    pretrained = results.study.pretrained
    costs = {
        name: spent([run], operations_of_event(run, results.data_dir / pretrained[name].folder))
        for name, run in results.pretrained.items()
    }
    published = results.study.published
    beside = (
        ()
        if published is None
        else tuple(
            point
            for name, one in found.items()
            for point in points(
                published,
                name,
                {cell.train_events: answer for cell, answer in one.cells.items()},
                one.speed,
                one.pays,
                one.similarity.by_size,
            )
        )
    )
    return StudyAnswers(found, costs, size_power_laws(results), beside)


def source_of(group: str, results: Results) -> str | None:
    """The pretraining that a group starts from."""
    return next((name for name in results.pretrained if group.startswith(f"{name}, ")), None)


def _found(cells: Cells, results: Results) -> QuestionAnswers:
    speed = {cell.train_events: speeds(answer.members) for cell, answer in cells.items()}
    paying = {
        size: {
            group: pays(results.pretrained[source], each["scratch"], one)
            for group, one in each.items()
            if (source := source_of(group, results)) is not None
        }
        for size, each in speed.items()
    }
    cell, last = list(cells.items())[-1]
    recipe, table = last.members["scratch"][0].recipe, last.members["scratch"][0].table(results.data_of(cell))
    test = split_table(table, recipe.data.split).test
    index = drawn(test, N_CKA_EVENT)
    layers = {
        of.train_events: layers_of_groups(answer, table, index, n_scratch=len(results.study.seeds) if of == cell else 2)
        for of, answer in cells.items()
    }
    of_last = layers[cell.train_events]
    return QuestionAnswers(
        cells,
        {of.train_events: seed_figures(answer.members) for of, answer in cells.items()},
        speed,
        _spent(cells, results),
        paying,
        _efficiency(cells),
        {name: _calibration(runs[0]) for name, runs in last.members.items()},
        study_similarity(layers, along_training(last, table, index, scratch=of_last["scratch"][0])),
        places(of_last, table.label[index].astype(np.int64)),
        _worth(last, table, test),
    )


def _spent(cells: Cells, results: Results) -> dict[int, dict[str, Spent]]:
    """The operations of an event are counted once for each group, with the networks of the largest size."""
    cell, last = list(cells.items())[-1]
    of_event = {name: operations_of_event(runs[0], results.data_of(cell)) for name, runs in last.members.items()}
    scratch = of_event["scratch"]
    return {
        cell.train_events: {name: spent(runs, of_event.get(name, scratch)) for name, runs in answer.members.items()}
        for cell, answer in cells.items()
    }


def _worth(answer: Answer, table: EventTable, test: NDArray[np.int64]) -> dict[str, Worth | None]:
    """Of the first seed of each group, from some events of the test split."""
    whole = WholeEvents.of(table) if answer.members["scratch"][0].recipe.objective.whole_events else None
    index = drawn(test if whole is None else whole.leading(test), N_IMPORTANCE_EVENT)
    return {name: worth(runs[0], table, index, whole) for name, runs in answer.members.items()}


def _efficiency(cells: Cells) -> dict[str, tuple[DataEfficiency, ...] | None]:
    """The data-efficiency factor of each group that was trained at all sizes with all seeds of scratch; none with one size only."""
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


def _calibration(run: Run) -> Calibration | None:
    found = read_predictions(run)
    of = calibration_error if len(found.classes) == 2 else confidence_calibration
    return of(found.scores, found.label, found.weight)
