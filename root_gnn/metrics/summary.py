"""One split's entry of `metrics.json`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.errors import InputError
from root_gnn.metrics.accuracy import accuracy
from root_gnn.metrics.auc import auc, auc_multiclass
from root_gnn.metrics.cross_entropy import cross_entropy
from root_gnn.metrics.inputs import ClassEvents, class_events
from root_gnn.metrics.measured import Measured
from root_gnn.metrics.rejection import Rejection, rejections
from root_gnn.metrics.significance import significance

SIGNAL_EFFICIENCIES = (0.3, 0.5)


def summary(
    probabilities: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    n_class: int,
    lumi_weights: ArrayLike | None = None,
) -> dict[str, Any]:
    """The figures of one split as plain Python numbers, None (null in JSON) where one is not defined.

    `probabilities (n_event, n_class)`, best computed in float64 so that scores near 0 and 1 don't tie; `labels (n_event,)`, class 1
    is the signal of a binary task; `weights (n_event,)` signed, 1 where not given. `lumi_weights (n_event,)` are the expected
    yields, without which there is no significance. Rejection and significance are None but for two classes.
    How each figure and its error is computed, with negative weights too, stands in the function of its name.
    Raises InputError for arrays that don't fit together, aren't finite, or don't have `n_class` columns.
    """
    events = class_events(probabilities, labels, weights)
    if events.probabilities.shape[1] != n_class:
        raise InputError(
            f"Expected probabilities of {n_class} classes and got {events.probabilities.shape[1]} columns."
        )
    score = events.probabilities[:, 1]
    area = auc(score, events.labels, events.weights) if n_class == 2 else auc_multiclass(*events)
    loss, share = cross_entropy(*events), accuracy(*events)
    return {
        "n_events": len(events.labels),
        "sum_of_weights": float(np.sum(events.weights)),
        "loss": _value(loss),
        "accuracy": _value(share),
        "accuracy_error": _error(share),
        "auc": _value(area),
        "auc_error": _error(area),
        "rejection": _rejection(score, events) if n_class == 2 else None,
        "significance": _significance(score, events.labels, lumi_weights) if n_class == 2 else None,
    }


def _value(found: Measured | None) -> float | None:
    return None if found is None else found.value


def _error(found: Measured | None) -> float | None:
    return None if found is None else found.error


def _rejection(score: ArrayLike, events: ClassEvents) -> dict[str, dict[str, float | None]]:
    found = rejections(score, events.labels, events.weights, signal_efficiencies=SIGNAL_EFFICIENCIES)
    undefined: dict[str, float | None] = dict.fromkeys(Rejection._fields)
    return {
        str(at): undefined if one is None else one._asdict() for at, one in zip(SIGNAL_EFFICIENCIES, found, strict=True)
    }


def _significance(score: ArrayLike, labels: ArrayLike, lumi_weights: ArrayLike | None) -> dict[str, float] | None:
    found = None if lumi_weights is None else significance(score, labels, lumi_weights)
    return None if found is None else found._asdict()
