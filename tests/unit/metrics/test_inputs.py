"""Arrays from outside, checked."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.errors import InputError
from root_gnn.metrics.inputs import binary_events, checked_columns, checked_weights, class_events


def test_weights_are_one_unless_given() -> None:
    assert binary_events([0.1, 0.2], [0, 1], None).weights.tolist() == [1.0, 1.0]
    assert class_events([[0.1, 0.9]], [1], [-2.0]).weights.tolist() == [-2.0]


@pytest.mark.parametrize(
    ("scores", "labels", "weights", "message"),
    [
        ([[0.1]], [0], None, "one score per event"),
        ([0.1, np.nan], [0, 1], None, "score of event 1 is nan"),
        ([0.1, 0.2], [0, 2], None, "labels from 0 to 1 and got 2 for event 1"),
        ([0.1, 0.2], [0], None, r"labels of shape \(2,\)"),
        ([0.1, 0.2], [0, 1], [1.0, np.inf], "weight of event 1 is inf"),
    ],
)
def test_what_is_wrong_is_named_with_its_first_event(
    scores: list[float], labels: list[int], weights: list[float] | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        binary_events(scores, labels, weights)


def test_one_column_may_be_flat() -> None:
    assert checked_columns("a", [1.0, 2.0]).shape == (2, 1)
    with pytest.raises(InputError, match=r"Expected a of shape \(n_event, n_column\)"):
        checked_columns("a", np.zeros((1, 1, 1)))
    with pytest.raises(InputError, match="weights"):
        checked_weights([1.0], 2)
