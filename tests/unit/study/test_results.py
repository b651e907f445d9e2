"""Results by question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from root_gnn.study.plan import Cell, Pretraining, Study, Version
from root_gnn.study.results import CellResult, Results


def test_questions_keep_the_order_of_the_study_and_sizes_ascend() -> None:
    comparison: Any = None
    cells = {Cell("b", "", 20): None, Cell("b", "", 10): None, Cell("a", "v", 10): None}
    plan = Study(
        name="s",
        tasks=("b", "a"),
        pretrained={"p": Pretraining(recipe="r")},
        train_events=(10, 20),
        data={"v": Version(folder="other")},
    )
    answers = dict.fromkeys(cells, CellResult({}, comparison))
    results = Results(plan, answers, {}, {}, Path("s"), Path("data"))
    assert {name: [cell.train_events for cell in of] for name, of in results.questions().items()} == {
        "b": [10, 20],
        "a, v": [10],
    }
    assert results.data_of(Cell("a", "v", 10)) == Path("data/other") and results.floors == ()
