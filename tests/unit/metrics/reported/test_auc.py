"""The AUC as a reported metric."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.metrics.metric import ScoredEvents
from root_gnn.metrics.reported.auc import Config

PROBABILITIES = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.1, 0.9]])
LABELS, WEIGHTS = np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 1.0, 2.0])
EVENTS = ScoredEvents(PROBABILITIES, LABELS, WEIGHTS)
THREE = ScoredEvents(np.full((4, 3), 1 / 3), LABELS, WEIGHTS)


def test_it_is_the_weighted_share_of_pairs_in_the_right_order() -> None:
    signal, background = LABELS == 1, LABELS == 0
    pairs = np.outer(WEIGHTS[signal], WEIGHTS[background])
    right = PROBABILITIES[signal, 1][:, None] > PROBABILITIES[background, 1][None]
    entry = Config().entry(EVENTS)
    assert entry["auc"] == pytest.approx((pairs * right).sum() / pairs.sum()) and list(entry) == ["auc", "auc_error"]


def test_of_labels_it_is_the_mean_with_the_error_of_a_mean() -> None:
    entries = [{"auc": 0.5, "auc_error": 0.03}, {"auc": 0.9, "auc_error": 0.04}, {"auc": None, "auc_error": None}]
    assert Config().combined(entries) == {"auc": pytest.approx(0.7), "auc_error": pytest.approx(0.025)}
    assert Config().combined([]) == {"auc": None, "auc_error": None}
    assert Config().name == "auc" and Config().quick_for == ("softmax", "sigmoid")
