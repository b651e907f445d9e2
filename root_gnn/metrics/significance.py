"""The best expected (Asimov) significance that a cut on the score reaches.

Z = sqrt(2 ((s + b) ln(1 + s / b) - s)) for expected yields s and b, Cowan, Cranmer, Gross, Vitells 2011,
arXiv:1007.1727, eq. 97. Statistical only: no systematic uncertainty of the background enters.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.metrics.inputs import binary_events
from root_gnn.metrics.roc import cuts, passing
from root_gnn.typing import Floats


class Significance(NamedTuple):
    """The largest significance over all cuts.

    Attributes:
        max: the significance.
        error: its error from the size of the simulated sample.
        at: the threshold on the score.
    """

    max: float
    error: float
    at: float


def significance(
    scores: ArrayLike, labels: ArrayLike, yields: ArrayLike, *, min_effective: float = 10.0
) -> Significance | None:
    """Maximum over all cuts `score >= at` of the Asimov significance, from `yields (n_event,)`.

    A yield is an event's weight scaled to cross section and luminosity, so that their sum is the number of events
    expected in data. Negative yields count with their sign. A cut is considered only where s > 0, b > 0, and at least
    `min_effective` effective events, (sum w)^2 / sum w^2, of signal and of background pass: tighter cuts would win by a
    fluctuation. None where no cut qualifies.

    The error is that of s and b at the best cut through the formula; since the best cut is a maximum, its own shift
    changes nothing in first order. A maximum over noisy cuts is biased upwards, on toys by 0.4 to 0.8 of this error.
    """
    events = binary_events(scores, labels, yields)
    if len(events.scores) == 0:
        return None
    cut = cuts(events.scores)
    squares = events.weights**2
    s, b = (passing(cut, member, events.weights) for member in (events.is_signal, ~events.is_signal))
    s_variance, b_variance = (passing(cut, member, squares) for member in (events.is_signal, ~events.is_signal))
    # n_eff = s^2 / sum w^2, written without a division by zero.
    allowed = (s > 0.0) & (b > 0.0) & (s**2 >= min_effective * s_variance) & (b**2 >= min_effective * b_variance)
    if not np.any(allowed):
        return None
    squared = np.full(len(s), -1.0)
    squared[allowed] = _squared(s[allowed], b[allowed])
    best = int(np.argmax(squared))
    z, ratio = math.sqrt(float(squared[best])), float(s[best] / b[best])
    # Derivatives of Z = sqrt(2 ((s + b) ln(1 + s/b) - s)) with respect to s and b.
    by_signal, by_background = math.log1p(ratio) / z, (math.log1p(ratio) - ratio) / z
    error = math.sqrt(by_signal**2 * float(s_variance[best]) + by_background**2 * float(b_variance[best]))
    return Significance(z, error, float(events.scores[cut.order[cut.last[best - 1]]]))


def _squared(s: Floats, b: Floats) -> Floats:
    """Z^2 of positive yields.

    The formula cancels for s << b, so its series s^2 / b (1 - s / 3b) is used below s / b = 1e-4.
    """
    ratio = s / b
    return np.where(ratio < 1e-4, s * ratio * (1.0 - ratio / 3.0), 2.0 * ((s + b) * np.log1p(ratio) - s))
