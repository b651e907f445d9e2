"""The expected significance as a reported metric."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.metrics.metric import ScoredEvents
from root_gnn.metrics.reported.significance import Config
from root_gnn.metrics.significance import significance

PROBABILITIES = np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.1, 0.9]])
LABELS, WEIGHTS = np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 1.0, 2.0])
EVENTS = ScoredEvents(PROBABILITIES, LABELS, WEIGHTS)
THREE = ScoredEvents(np.full((4, 3), 1 / 3), LABELS, WEIGHTS)


def test_it_takes_yields_and_two_classes() -> None:
    assert Config().entry(EVENTS) == Config().entry(THREE._replace(yields=WEIGHTS)) == {"significance": None}
    labels = np.repeat([0, 1], 40)
    score = np.linspace(0.01, 0.99, 80)
    events = ScoredEvents(np.stack([1 - score, score], axis=1), labels, np.ones(80), np.full(80, 0.3))
    best = significance(score, labels, events.yields)
    assert best is not None and Config().entry(events) == {"significance": best._asdict()}
    assert Config().value(Config().entry(events)) == pytest.approx(best.max)


def test_the_page_of_a_study_says_what_it_takes() -> None:
    assert "data.lumi" in Config.requirement and Config.shown_in == ("study",)
    assert Config().cells({"significance": 2.345}) == {"significance": "2.35"}
