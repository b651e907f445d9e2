"""What every metric returns, and the weighted mean with its error that several of them are made of."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from root_gnn.typing import Booleans, Floats


class Measured(NamedTuple):
    """A value and its 68 % statistical error; `error` is None where the events are too few to tell."""

    value: float
    error: float | None


def n_effective(weights: Floats) -> float:
    """Effective number of events, (sum w)^2 / sum w^2; zero without events. Negative weights lower it."""
    squares = float(np.sum(weights**2))
    return float(np.sum(weights)) ** 2 / squares if squares > 0.0 else 0.0


def small_sample(weights: Floats) -> float | None:
    """N / (n - 1) with the effective number of events, which makes a variance unbiased; None for n <= 1."""
    n = n_effective(weights)
    return n / (n - 1.0) if n > 1.0 else None


def weighted_mean(values: Floats, weights: Floats) -> Measured | None:
    """Mean of `values (n_event,)` with signed `weights (n_event,)`, and its error as a ratio of two sums over events.

    The error is sqrt(sum w^2 (x - mean)^2) / |sum w| with the small-sample factor: right for any sign of the weights.
    None where the weights sum to zero or less.
    """
    total = float(np.sum(weights))
    if total <= 0.0:
        return None
    value = float(np.sum(weights * values)) / total
    factor = small_sample(weights)
    if factor is None:
        return Measured(value, None)
    return Measured(value, math.sqrt(factor * float(np.sum((weights * (values - value)) ** 2))) / total)


def weighted_share(selected: Booleans, weights: Floats) -> Measured | None:
    """Share of the signed weight that `selected (n_event,)` events have.

    The error is that of Wilson (1927) for n effective events.

    The error is binomial, but never zero when all or none are selected. None where the weights sum to zero or less.
    """
    total = float(np.sum(weights))
    if total <= 0.0:
        return None
    value, n = float(np.sum(weights[selected])) / total, n_effective(weights)
    spread = float(np.sum((weights * (selected - value)) ** 2)) / total**2
    return Measured(value, math.sqrt(spread + 1.0 / (4.0 * n**2)) / (1.0 + 1.0 / n))
