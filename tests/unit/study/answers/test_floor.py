"""Boosted trees on the page."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from root_gnn.study.answers.floor import HOW_FLOOR, Config


def test_without_trees_nothing_is_written(tmp_path: Path) -> None:
    cell: Any = SimpleNamespace(train_events=10)
    question: Any = SimpleNamespace(cells={cell_key: SimpleNamespace(floor=None) for cell_key in ("a",)})
    assert list(Config().question_section(question, tmp_path)) == [] and cell.train_events == 10
    table: Any = (("group",), [("trees",)])
    floor = SimpleNamespace(figures=lambda: table, paired=list)
    key = SimpleNamespace(train_events=10)
    question = SimpleNamespace(cells=SimpleNamespace(items=lambda: [(key, SimpleNamespace(floor=floor))]))
    parts = list(Config().question_section(question, tmp_path))
    assert HOW_FLOOR[:9] in parts[0] and "trees" in parts[1]
