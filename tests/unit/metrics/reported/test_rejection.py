"""Background rejections as a reported metric."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.metrics.metric import ScoredEvents
from root_gnn.metrics.rejection import rejection
from root_gnn.metrics.reported.rejection import Config

THREE = ScoredEvents(np.full((4, 3), 1 / 3), np.array([0, 1, 2, 0]), np.ones(4))


def test_the_entry_has_each_efficiency_and_columns_take_it_apart() -> None:
    generator = np.random.default_rng(0)
    labels, weights = generator.integers(0, 2, 200), generator.uniform(0.5, 1.5, 200)
    score = np.clip(0.6 * generator.random(200) + 0.2 * labels, 0.0, 1.0)
    entry = Config().entry(ScoredEvents(np.stack([1 - score, score], axis=1), labels, weights))
    one = rejection(score, labels, weights, signal_efficiency=0.5)
    assert one is not None and entry["rejection"]["0.5"] == one._asdict()
    columns = Config().columns(entry)
    assert (columns["rejection_50"], columns["rejection_50_low"]) == (one.value, one.low)
    assert Config().value(entry) == columns["rejection_30"] == entry["rejection"]["0.3"]["value"]
    assert len(columns) == 8 and set(Config().columns({}).values()) == {None}


def test_cells_have_the_interval() -> None:
    numbers = {"rejection_30": 4.0, "rejection_30_low": 3.0, "rejection_30_high": None, "rejection_50": 2.0}
    assert Config().cells(numbers) == {
        "rejection at 30 % signal": "4.00 [3.00, no limit]",
        "rejection at 50 % signal": "2.00",
    }


@pytest.mark.parametrize("value", [Config().entry(THREE), Config().combined([])])
def test_more_classes_and_labels_have_none(value: dict[str, object]) -> None:
    assert value == {"rejection": None} and Config().measure(THREE) is None
