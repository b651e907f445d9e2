"""Tables of comparisons by training size."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from root_gnn.study.compared import compared_tables


def test_differences_say_their_training_size() -> None:
    def comparison(name: str) -> Any:
        paired = [(("auc", "difference"), [(name, "0.1")])]
        return SimpleNamespace(figures=lambda: (("group",), [(name,)]), paired=lambda: paired)

    groups, differences = compared_tables({10: comparison("a"), 2000: comparison("b")})
    assert "<td>a" in groups and "<td>b" in groups
    assert "training events" in differences and "2,000" in differences and differences.index("10") >= 0
