"""What a metric has to say, and what follows from it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from root_gnn.metrics.measured import Measured
from root_gnn.metrics.metric import Metric, ScoredEvents, mean_of_defined


class SumOfWeights(Metric):
    """The sum of the weights; None without events."""

    title: ClassVar[str] = "sum"
    digits: ClassVar[int] = 1

    def measure(self, events: ScoredEvents) -> Measured | None:
        """The sum."""
        return Measured(float(events.weights.sum()), 0.5) if len(events.weights) else None


def test_entry_columns_value_and_cells_follow_from_the_measure() -> None:
    metric = SumOfWeights()
    events = ScoredEvents(np.full((2, 2), 0.5), np.array([0, 1]), np.array([1.0, 3.0]))
    entry, name = metric.entry(events), metric.name
    assert entry == {name: 4.0, f"{name}_error": 0.5} == metric.columns(entry)
    assert metric.value(entry) == 4.0 and metric.cells(metric.columns(entry)) == {"sum": "4.0 ± 0.5"}
    empty = ScoredEvents(np.empty((0, 2)), np.empty(0, np.int64), np.empty(0))
    assert set(metric.entry(empty).values()) == {None}
    assert (events.n_class, events.signal_score.tolist()) == (2, [0.5, 0.5])


def test_the_mean_of_labels_leaves_out_those_without_a_value() -> None:
    assert mean_of_defined([1.0, None, 2.0]) == pytest.approx(1.5) and mean_of_defined([None]) is None
