"""Weighted mean of minus the log probability of the true class."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.metrics.inputs import class_events
from root_gnn.metrics.measured import Measured, weighted_mean


def cross_entropy(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Measured | None:
    """Weighted cross entropy in nats of `probabilities (n_event, n_class)`, and its error.

    A probability of zero for the true class counts as the smallest normal float64 (708 nats), so that one event can't
    make the figure infinite. Negative weights count with their sign. None where the weights sum to zero or less. Raises
    InputError for arrays that don't fit together or are not finite.
    """
    events = class_events(probabilities, labels, weights)
    of_truth = events.probabilities[np.arange(len(events.labels)), events.labels]
    return weighted_mean(-np.log(np.maximum(of_truth, np.finfo(np.float64).tiny)), events.weights)
