"""The cross entropy as a reported metric."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.metrics.metric import ScoredEvents
from root_gnn.metrics.reported.loss import Config

PROBABILITIES = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.1, 0.9]])
LABELS, WEIGHTS = np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 1.0, 2.0])
EVENTS = ScoredEvents(PROBABILITIES, LABELS, WEIGHTS)
THREE = ScoredEvents(np.full((4, 3), 1 / 3), LABELS, WEIGHTS)


def test_it_is_the_mean_of_minus_the_log_probability_of_the_true_class() -> None:
    logs = -np.log(PROBABILITIES[np.arange(4), LABELS])
    assert Config().entry(EVENTS) == {"loss": pytest.approx(np.average(logs, weights=WEIGHTS))}


def test_a_study_has_its_column_but_no_table() -> None:
    assert Config().columns({"loss": 0.3, "auc": 1.0}) == {"loss": 0.3}
    assert not Config.has_seed_table and Config.shown_in == ("report",) and Config.quick_for == ()
