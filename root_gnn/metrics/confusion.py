"""The confusion matrix: how often each class is predicted as each other one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.metrics.inputs import class_events
from root_gnn.typing import Floats


def confusion_matrix(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Share of each true class (row) that is predicted as each class (column): `(n_class, n_class)`, rows sum to one.

    Negative weights count with their sign, so an entry may leave [0, 1]. The row of a class that is absent, or whose
    weights sum to zero or less, is NaN, which a plot leaves blank. Raises InputError for arrays that don't fit together
    or are not finite.
    """
    events = class_events(probabilities, labels, weights)
    n_class = events.probabilities.shape[1]
    counts = np.zeros((n_class, n_class))
    np.add.at(counts, (events.labels, np.argmax(events.probabilities, axis=1)), events.weights)
    totals = counts.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0.0)
    return shares
