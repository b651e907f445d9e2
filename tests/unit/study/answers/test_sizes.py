"""Quantities against training size, as they are drawn."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from root_gnn import plots
from root_gnn.study.answers.sizes import against_size


def test_groups_of_the_trees_are_drawn_with_the_others_and_gains_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interval(mean: float) -> Any:
        return SimpleNamespace(mean=mean, low=mean - 0.1, high=mean + 0.1)

    def group(name: str, auc: Any) -> Any:
        return SimpleNamespace(name=name, auc=auc, rejection={"0.3": None})

    gain = SimpleNamespace(group="a", auc=interval(0.2), rejection={"0.3": None})
    networks: Any = SimpleNamespace(groups=[group("scratch", interval(0.5)), group("a", None)], differences=[gain])
    trees: Any = SimpleNamespace(groups=[group("trees", interval(0.4))], differences=[])
    calls = []
    monkeypatch.setattr(plots, "training_size", lambda curves, path, **words: calls.append((curves, words)))
    against_size({10: networks}, tmp_path / "s.svg", floors={10: trees})
    ((curves, words),) = calls
    assert list(curves) == ["scratch", "trees"] and curves["trees"][10].value == 0.4
    assert words["gains"]["a"][10] == pytest.approx((0.2, 0.1, 0.3)) and not words["log"]
    against_size({10: networks}, tmp_path / "s.svg", signal_efficiency="0.3")
    assert len(calls) == 1, "nothing is drawn where nothing is defined"
