"""What a row of a benchmark says, and when its target is reached."""

from __future__ import annotations

import pytest

from root_gnn.bench.row import Row
from root_gnn.bench.timing import Spread


def row(ratio: float = 2.0, **rest: object) -> Row:
    settings = {"what": "training", "ours": "ours", "reference": "theirs", "unit": "events/s", "rates": {}} | rest
    spread = Spread.of([ratio])
    return Row.spread(spread, **settings)


def test_the_numbers_are_those_of_the_spread() -> None:
    found = Row.spread(Spread.of([1.0, 2.0, 6.0]), what="a", ours="b", reference="c", unit="d", rates={"b": 3.0})
    assert (found.ratio, found.low, found.high) == (2.0, 1.0, 6.0)
    assert found.entry()["ratio"] == 2.0 and found.entry()["passes"] is None


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ({}, None),
        ({"target": 2.0}, True),
        ({"target": 2.1}, False),
        ({"between": (1.9, 2.0)}, True),
        ({"between": (2.5, 3.0)}, False),
        ({"target": 1.0, "limit_target": 0.5, "limit_fraction": 0.4}, False),
        ({"target": 1.0, "limit_target": 0.5}, True),
    ],
)
def test_a_target_is_reached_or_not(rest: dict[str, object], expected: bool | None) -> None:
    assert row(**rest).passes() is expected
