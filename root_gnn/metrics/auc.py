"""Area under the ROC curve with signed weights, ties and an error: binary, and macro one-vs-one for more classes.

The area is the weighted share of signal-background pairs in the right order, ties counted half. Its error is that of
DeLong, DeLong, Clarke-Pearson 1988 (Biometrics 44, 837) generalised to weights: each event pulls on the area by its
weight times how far its own share of rightly ordered pairs lies from the area, and the squares of these pulls add up.
Negative weights count with their sign, in pairs as products; the area of few events with many negative weights may then
leave [0, 1], which says that the sample can't resolve it, as does its error. The error of a perfect separation is zero.
More classes: Hand & Till 2001 (Machine Learning 45, 171), the mean over ordered pairs of classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.metrics.inputs import binary_events, class_events
from root_gnn.metrics.measured import Measured, small_sample
from root_gnn.metrics.roc import area, cuts, efficiencies
from root_gnn.typing import AnyIntegers, Booleans, Floats


def auc(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Measured | None:
    """Area under the ROC curve of `scores (n_event,)`, labels 1 (signal) and 0 (background), and its error.

    Negative weights count with their sign. None where a class is absent or its weights sum to zero or less; the error
    is None where a class has no more than one effective event. Raises InputError for arrays that don't fit together or
    are not finite.
    """
    events = binary_events(scores, labels, weights)
    found = _area_and_pulls(events.scores, events.is_signal, events.weights)
    if found is None:
        return None
    value, pulls = found
    return Measured(value, _error(pulls, events.weights, [events.is_signal, ~events.is_signal]))


def auc_multiclass(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Measured | None:
    """Mean area over all ordered pairs of classes, and its error.

    The pair (i, j) is class i against class j by the probability of i.

    `probabilities (n_event, n_class)`, `labels (n_event,)`. An event's pulls on all pairs are added before they are
    squared, so the correlation between pairs is in the error. Negative weights count with their sign. None where any
    class is absent or its weights sum to zero or less. Raises InputError for arrays that don't fit together or are not
    finite.
    """
    events = class_events(probabilities, labels, weights)
    n_class = events.probabilities.shape[1]
    members = [events.labels == one for one in range(n_class)]
    pulls, areas = np.zeros(len(events.labels)), []
    for one in range(n_class):
        for other in range(n_class):
            if one == other:
                continue
            used = np.flatnonzero(members[one] | members[other])
            found = _area_and_pulls(events.probabilities[used, one], members[one][used], events.weights[used])
            if found is None:
                return None
            areas.append(found[0])
            pulls[used] += found[1]
    return Measured(float(np.mean(areas)), _error(pulls / len(areas), events.weights, members))


def auc_of(scores: ArrayLike, labels: ArrayLike) -> Callable[[Floats], float | None]:
    """The binary AUC of `scores (n_event,)` as a function of the weights `(n_event,)` alone.

    Scores are sorted once for all weights.
    """
    events = binary_events(scores, labels, None)
    cut = cuts(events.scores)

    def value(weights: Floats) -> float | None:
        found = efficiencies(cut, events.is_signal, weights)
        return None if found is None else area(*found)

    return value


def auc_multiclass_of(probabilities: ArrayLike, labels: ArrayLike) -> Callable[[Floats], float | None]:
    """The mean area over pairs of classes of `auc_multiclass` as a function of the weights `(n_event,)` alone."""
    events = class_events(probabilities, labels, None)
    pairs: list[tuple[AnyIntegers, Callable[[Floats], float | None]]] = []
    for one, other in permutations(range(events.probabilities.shape[1]), 2):
        used = np.flatnonzero((events.labels == one) | (events.labels == other))
        pairs.append((used, auc_of(events.probabilities[used, one], events.labels[used] == one)))

    def value(weights: Floats) -> float | None:
        areas = [area_of(weights[used]) for used, area_of in pairs]
        defined = [one for one in areas if one is not None]
        return float(np.mean(defined)) if len(defined) == len(areas) else None

    return value


def _area_and_pulls(scores: Floats, is_signal: Booleans, weights: Floats) -> tuple[float, Floats] | None:
    signal, background = scores[is_signal], scores[~is_signal]
    signal_weights, background_weights = weights[is_signal], weights[~is_signal]
    total_signal, total_background = float(np.sum(signal_weights)), float(np.sum(background_weights))
    if total_signal <= 0.0 or total_background <= 0.0:
        return None
    beaten = _weight_below(signal, background, background_weights) / total_background
    beaten_by = 1.0 - _weight_below(background, signal, signal_weights) / total_signal
    value = float(np.sum(signal_weights * beaten)) / total_signal
    pulls = np.empty(len(scores))
    pulls[is_signal] = signal_weights * (beaten - value) / total_signal
    pulls[~is_signal] = background_weights * (beaten_by - value) / total_background
    return value, pulls


def _weight_below(of: Floats, others: Floats, weights: Floats) -> Floats:
    """Weight of the `others` below each score, and half the weight of those equal to it."""
    order = np.argsort(others, kind="stable")
    ranked, running = others[order], np.concatenate([[0.0], np.cumsum(weights[order])])
    below: Floats = running[np.searchsorted(ranked, of, "left")]
    up_to: Floats = running[np.searchsorted(ranked, of, "right")]
    return (below + up_to) / 2.0


def _error(pulls: Floats, weights: Floats, members: list[Booleans]) -> float | None:
    variance = 0.0
    for member in members:
        factor = small_sample(weights[member])
        if factor is None:
            return None
        variance += factor * float(np.sum(pulls[member] ** 2))
    return math.sqrt(variance)
