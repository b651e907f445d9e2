"""Progress in a log file: counts, a rate, and one line at the end."""

from __future__ import annotations

import logging

import pytest

from root_gnn import console
from root_gnn.console import log, progress, set_verbosity


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(log, "info", lambda text, *values: lines.append(text % values))
    return lines


def test_work_that_is_done_leaves_one_line(heard: list[str]) -> None:
    with progress("reading", 2000, unit="events") as meter:
        meter.advance(500)
        meter.advance(1500)
    assert meter.done == 2000 and meter.rate > 0.0
    (line,) = heard
    assert line.startswith("reading: 2,000 of 2,000 events, ") and line.endswith(", done")


def test_slow_work_leaves_lines_with_the_time_left(heard: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "SECONDS_BETWEEN_LINES", 0.0)
    with progress("reading", 10) as meter:
        meter.advance(5, "loss 0.7")
    assert "5 of 10 events" in heard[0] and "s left" in heard[0] and heard[0].endswith("loss 0.7")


def test_work_that_fails_is_not_said_to_be_done(heard: list[str]) -> None:
    with pytest.raises(KeyError), progress("reading", 10):
        raise KeyError
    assert heard == []


def test_verbosity_is_a_level_of_the_logger() -> None:
    try:
        for level, expected in ((-1, logging.WARNING), (0, logging.INFO), (1, logging.DEBUG)):
            set_verbosity(level)
            assert log.level == expected and len(log.handlers) == 1
    finally:
        set_verbosity(0)
