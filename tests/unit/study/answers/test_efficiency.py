"""The factor in words."""

from __future__ import annotations

import pytest

from root_gnn.metrics.data_efficiency import DataEfficiency
from root_gnn.study.answers.efficiency import factor_of


@pytest.mark.parametrize(
    ("kind", "high", "text"),
    [("measured", 4.0, "2.5 [1.5, 4.0]"), ("at least", None, "at least 2.5 [1.5, no limit]")],
)
def test_a_bound_is_called_one(kind: str, high: float | None, text: str) -> None:
    factor = DataEfficiency(100, 0.7, 2.5, kind, low=1.5, high=high)
    assert factor_of(factor) == text
