"""Share of the event weight whose most probable class is the true one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.metrics.inputs import class_events
from root_gnn.metrics.measured import Measured, weighted_share
from root_gnn.typing import Floats


def accuracy(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Measured | None:
    """Weighted accuracy of `probabilities (n_event, n_class)`.

    Of equal probabilities the first class is the prediction.

    The error is Wilson's (1927) with the effective number of events: binomial, but never zero when all or none are
    right. Negative weights count with their sign in numerator and denominator (and by their square in the error), so
    the value may leave [0, 1] in a small sample. None where the weights sum to zero or less. Raises InputError for
    arrays that don't fit together.
    """
    events = class_events(probabilities, labels, weights)
    right = np.argmax(events.probabilities, axis=1) == events.labels
    return weighted_share(right, events.weights)


def accuracy_of(probabilities: ArrayLike, labels: ArrayLike) -> Callable[[Floats], float | None]:
    """The accuracy of `probabilities (n_event, n_class)` as a function of the weights `(n_event,)` alone.

    The function returns None where `accuracy` does.
    """
    events = class_events(probabilities, labels, None)
    right = np.argmax(events.probabilities, axis=1) == events.labels

    def value(weights: Floats) -> float | None:
        total = float(np.sum(weights))
        return float(np.sum(weights[right])) / total if total > 0.0 else None

    return value
