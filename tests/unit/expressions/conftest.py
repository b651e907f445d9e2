"""What every refusal of an expression looks like."""

from __future__ import annotations

from collections.abc import Callable

import pytest

PointsAt = Callable[[str, str, int, str], None]


def _points_at(message: str, text: str, column: int, reason: str) -> None:
    head, line, caret = message.split("\n")
    assert head.startswith(("nodes.jet.select: ", "select: "))
    assert reason in head
    assert head.endswith(f"(column {column}):")
    assert set(caret) == {" ", "^"}
    position = caret.index("^")
    if column <= len(text) and text[column - 1].isprintable():
        assert line[position] == text[column - 1]
    message.encode()


@pytest.fixture(scope="session")
def points_at() -> PointsAt:
    """`points_at(message, text, column, reason)` checks the three lines of a message: reason, text and caret."""
    return _points_at
