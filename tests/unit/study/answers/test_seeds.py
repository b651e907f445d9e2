"""Metrics over seeds, with gains paired by seed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from root_gnn.study.answers.seeds import seed_figures, seed_metrics


def run(seed: int, accuracy: float | None, significance: float | None = None) -> Any:
    entry = {"accuracy": accuracy, "significance": None if significance is None else {"max": significance}}
    return SimpleNamespace(recipe=SimpleNamespace(seed=seed), metrics={"splits": {"test": entry}})


def test_gains_are_of_the_same_seed_and_leave_out_seeds_that_scratch_lacks() -> None:
    members = {"scratch": [run(1, 0.5), run(2, 0.6)], "a": [run(2, 0.9, 3.0), run(1, 0.7), run(3, 0.0)]}
    figures = seed_figures(members)
    gain, value = figures["a"]["accuracy"].gain, figures["a"]["accuracy"].value
    assert gain is not None and value is not None
    assert gain.mean == pytest.approx((0.3 + 0.2) / 2) and gain.n_seed == 2
    assert value.mean == pytest.approx((0.9 + 0.7) / 3)
    significance = figures["a"]["significance"]
    assert significance.value is not None and significance.value.n_defined == 1 and significance.gain is None


def test_what_is_compared_event_by_event_has_no_table() -> None:
    assert [metric.name for metric in seed_metrics()] == ["accuracy", "significance"]
