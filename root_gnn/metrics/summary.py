"""One split's entry of `metrics.json`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.errors import InputError
from root_gnn.metrics.inputs import class_events
from root_gnn.metrics.metric import ScoredEvents
from root_gnn.metrics.registry import reported_metrics


def summary(
    probabilities: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    n_class: int,
    lumi_weights: ArrayLike | None = None,
) -> dict[str, Any]:
    """All reported metrics of one split as plain Python values, None (null in JSON) where one is not defined.

    Each metric of `root_gnn/metrics/reported/` says how its figure and error are computed, with negative weights too.

    Args:
        probabilities: `(n_event, n_class)`, best computed in float64 so that scores near 0 and 1 don't tie.
        labels: the true class of each event, `(n_event,)`; class 1 is the signal of a task with two classes.
        weights: signed, `(n_event,)`; 1 where not given.
        n_class: number of classes of the task.
        lumi_weights: expected yields, `(n_event,)`, without which there is no significance.

    Raises:
        InputError: for arrays that don't fit together, aren't finite, or don't have `n_class` columns.
    """
    events = class_events(probabilities, labels, weights)
    if events.probabilities.shape[1] != n_class:
        raise InputError(
            f"Expected probabilities of {n_class} classes and got {events.probabilities.shape[1]} columns."
        )
    yields = None if lumi_weights is None else np.asarray(lumi_weights, dtype=np.float64)
    scored = ScoredEvents(*events, yields)
    entry: dict[str, Any] = {"n_events": len(events.labels), "sum_of_weights": float(np.sum(events.weights))}
    for metric in reported_metrics():
        entry |= metric.entry(scored)
    return entry
