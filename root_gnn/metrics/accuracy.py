"""Share of the event weight whose most probable class is the true one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.metrics.inputs import class_events
from root_gnn.metrics.measured import Floats, Measured, n_effective, weighted_mean


def accuracy(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Measured | None:
    """Weighted accuracy of `probabilities (n_event, n_class)`; of equal probabilities the first class is the prediction.

    The error is Wilson's (1927) with the effective number of events: binomial, but never zero when all or none are right.
    Negative weights count with their sign in numerator and denominator (and by their square in the error), so the value may leave
    [0, 1] in a small sample. None where the weights sum to zero or less. Raises InputError for arrays that don't fit together.
    """
    events = class_events(probabilities, labels, weights)
    right = (np.argmax(events.probabilities, axis=1) == events.labels).astype(np.float64)
    mean = weighted_mean(right, events.weights)
    if mean is None:
        return None
    n = n_effective(events.weights)
    spread = float(np.sum((events.weights * (right - mean.value)) ** 2)) / float(np.sum(events.weights)) ** 2
    return Measured(mean.value, math.sqrt(spread + 1.0 / (4.0 * n**2)) / (1.0 + 1.0 / n))


def accuracy_of(probabilities: ArrayLike, labels: ArrayLike) -> Callable[[Floats], float | None]:
    """The accuracy of `probabilities (n_event, n_class)` as a function of the weights `(n_event,)` alone, None as in `accuracy`."""
    events = class_events(probabilities, labels, None)
    right = np.argmax(events.probabilities, axis=1) == events.labels

    def value(weights: Floats) -> float | None:
        total = float(np.sum(weights))
        return float(np.sum(weights[right])) / total if total > 0.0 else None

    return value
