"""The table of how soon trainings are good."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from root_gnn.metrics.seeds import over_seeds
from root_gnn.study.answers import speed
from root_gnn.study.answers.speed import Config
from root_gnn.study.speed import Speed


def test_seeds_that_never_got_there_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "learnings", lambda _: {})
    one = Speed(None, over_seeds([0.6]), None, over_seeds([10.0, None]), None, over_seeds([20.0, 30.0]))
    question: Any = SimpleNamespace(
        cells={"only": SimpleNamespace(members={})},
        smallest_cell="only",
        largest_cell="only",
        value=lambda _: {1000: {"scratch": one}},
    )
    text = "".join(Config().question_section(question, tmp_path))
    assert "1,000" in text and "(1 of 2)" in text and "0.600" in text and "25.0 ± " in text
