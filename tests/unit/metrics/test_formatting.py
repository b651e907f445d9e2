"""Figures as text."""

from __future__ import annotations

import pytest

from root_gnn.metrics.formatting import UNDEFINED, format_interval, format_number, format_over_seeds
from root_gnn.metrics.seeds import over_seeds


def test_numbers() -> None:
    assert format_number(None) == format_number(None, 0.1) == UNDEFINED
    assert format_number(0.61237, 0.012) == "0.6124 ± 0.0120" and format_number(3.14159, digits=2) == "3.14"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((), UNDEFINED), ((2.0, 0.5), "2.00 ± 0.50"), ((2.0, 0.5, 1.5, 3.0), "2.00 [1.50, 3.00]")],
)
def test_intervals(numbers: tuple[float, ...], text: str) -> None:
    assert format_interval(*numbers) == text
    assert format_interval(2.0, 0.5, 1.5, None) == "2.00 [1.50, no limit]"


def test_seeds_that_have_no_value_are_counted() -> None:
    assert format_over_seeds(over_seeds([0.5, 0.7, None])).endswith("(2 of 3)")
    assert format_over_seeds(over_seeds([12.0])) == "12.0" and format_over_seeds(None) == UNDEFINED
