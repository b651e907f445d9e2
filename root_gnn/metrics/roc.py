"""The weighted ROC curve: signal and background efficiency of every cut on a score.

A cut keeps the events whose score is at or above a threshold, so events with equal scores pass or fail together.
With negative weights an efficiency may fall while the cut is loosened, and leave [0, 1]. Nothing is clipped, sorted or
smoothed then: the curve is what the weighted sums are, and its area is still exactly the weighted count of pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from root_gnn.typing import AnyIntegers, Booleans, Floats


class Cuts(NamedTuple):
    """Events in falling order of score `(n_event,)`, and the last event that each cut lets pass `(n_cut,)`."""

    order: AnyIntegers
    last: AnyIntegers


def cuts(scores: Floats) -> Cuts:
    """Every distinct cut on `scores (n_event,)`, tightest first."""
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    return Cuts(order, np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(falling) - 1)[: len(falling)])


def passing(cut: Cuts, selected: Booleans, weights: Floats) -> Floats:
    """Sum of the weights of `selected` events that pass no cut, then each cut: `(n_cut + 1,)`."""
    running = np.cumsum(np.where(selected, weights, 0.0)[cut.order])
    return np.concatenate([[0.0], running[cut.last]])


def efficiencies(cut: Cuts, is_signal: Booleans, weights: Floats) -> tuple[Floats, Floats] | None:
    """Signal and background efficiency, each `(n_cut + 1,)`; None where the weights of a class sum to zero or less."""
    signal, background = passing(cut, is_signal, weights), passing(cut, ~is_signal, weights)
    if signal[-1] <= 0.0 or background[-1] <= 0.0:
        return None
    return signal / signal[-1], background / background[-1]


def area(signal_efficiency: Floats, background_efficiency: Floats) -> float:
    """Area under the curve by trapezoids: the weighted share of signal-background pairs in right order, ties half."""
    middle = (signal_efficiency[1:] + signal_efficiency[:-1]) / 2.0
    return float(np.sum(middle * np.diff(background_efficiency)))


def first_reaching(signal_efficiency: Floats, targets: Floats) -> AnyIntegers:
    """Index of the tightest cut whose signal efficiency reaches each of `targets (n_target,)`, all in (0, 1].

    With negative weights the efficiency can cross a target several times: the tightest of these cuts is meant.
    """
    rounding = 1.0 - 1e-12
    return np.searchsorted(np.maximum.accumulate(signal_efficiency), targets * rounding, side="left")
