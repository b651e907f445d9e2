"""The accuracy as a reported metric."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.metrics.metric import ScoredEvents
from root_gnn.metrics.reported.accuracy import Config

PROBABILITIES = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.1, 0.9]])
LABELS, WEIGHTS = np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 1.0, 2.0])
EVENTS = ScoredEvents(PROBABILITIES, LABELS, WEIGHTS)
THREE = ScoredEvents(np.full((4, 3), 1 / 3), LABELS, WEIGHTS)


def test_it_is_the_share_of_the_weight_in_the_right_class() -> None:
    assert Config().entry(EVENTS)["accuracy"] == pytest.approx((1.0 + 2.0) / 6.0)


def test_of_labels_it_is_a_mean_without_error() -> None:
    assert Config().combined([{"accuracy": 0.5}, {"accuracy": 0.7}]) == {"accuracy": pytest.approx(0.6)}


def test_cells_are_value_and_error() -> None:
    assert Config().cells({"accuracy": 0.61237, "accuracy_error": 0.012}) == {"accuracy": "0.6124 ± 0.0120"}
    assert Config().cells({}) == {"accuracy": "\N{EN DASH}"}
