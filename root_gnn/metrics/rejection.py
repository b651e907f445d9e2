"""Background rejection, 1 / background efficiency, of the cut that keeps a given share of the signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.errors import InputError
from root_gnn.metrics.inputs import BinaryEvents, binary_events
from root_gnn.metrics.roc import Cuts, cuts, efficiencies, first_reaching
from root_gnn.typing import AnyIntegers, Floats

SIGNAL_EFFICIENCIES = (0.3, 0.5)
"""The efficiencies at which rejections are reported."""


class Rejection(NamedTuple):
    """A background rejection, its error to first order, and its 68 % interval.

    All but `value` are None without replicas.

    The interval is `efficiency ± spread` of the background turned over: a sum over events scatters evenly, its inverse
    does not, so `high` lies further from the value than `low`. `high` is None where a background efficiency of zero is
    in the interval.
    """

    value: float
    error: float | None
    low: float | None
    high: float | None


def rejection(
    scores: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    signal_efficiency: float = 0.5,
    n_replica: int = 200,
    seed: int = 1,
) -> Rejection | None:
    """Background rejection of `scores (n_event,)` at one signal efficiency in (0, 1], see `rejections`.

    Args:
        scores: larger for signal, `(n_event,)`.
        labels: 1 for signal and 0 for background, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        signal_efficiency: share of the signal that passes the cut, in (0, 1].
        n_replica: number of replicas for the error and the interval; 0 for neither.
        seed: of the random numbers of the replicas.
    """
    return rejections(
        scores, labels, weights, signal_efficiencies=(signal_efficiency,), n_replica=n_replica, seed=seed
    )[0]


def rejections(
    scores: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    signal_efficiencies: Sequence[float] = SIGNAL_EFFICIENCIES,
    n_replica: int = 200,
    seed: int = 1,
) -> tuple[Rejection | None, ...]:
    """Background rejection at each of several signal efficiencies, with errors from the same Poisson bootstrap.

    The cut is the tightest one that keeps at least the asked share of the signal weight; events of equal score are
    never parted. In every replica each event counts a Poisson number of times and the cut is found anew, so the error
    holds the uncertainty of the threshold too; error and interval are those of the background efficiency turned over. A
    seed gives one result.

    Negative weights count with their sign. None, not a large number, where no background (or a background weight of
    zero or less) passes the cut: the events then give a lower limit only. None too where the weights of a class sum to
    zero or less. Raises InputError for arrays that don't fit together and for efficiencies outside (0, 1].

    Args:
        scores: larger for signal, `(n_event,)`.
        labels: 1 for signal and 0 for background, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        signal_efficiencies: shares of the signal that pass the cuts, in (0, 1].
        n_replica: number of replicas for the error and the interval; 0 for neither.
        seed: of the random numbers of the replicas.
    """
    targets = _targets(signal_efficiencies)
    events = binary_events(scores, labels, weights)
    if len(events.scores) == 0:
        return (None,) * len(targets)
    events, cut, _ = _falling(events)
    kept = _background_kept(cut, events, events.weights, targets)
    if kept is None:
        return (None,) * len(targets)
    generator = np.random.default_rng(seed)
    drawn = [
        _background_kept(cut, events, events.weights * generator.poisson(1.0, len(events.weights)), targets)
        for _ in range(n_replica)
    ]
    replicas = np.array([one for one in drawn if one is not None]).reshape(-1, len(targets))
    return tuple(_rejection(value, replicas[:, column]) for column, value in enumerate(kept))


def rejection_of(scores: ArrayLike, labels: ArrayLike, *, signal_efficiency: float) -> Callable[[Floats], float | None]:
    """The background rejection at one signal efficiency as a function of the weights `(n_event,)` alone.

    The scores are `(n_event,)`.

    Scores are put in order once, for the many weights of a bootstrap. The function returns None where `rejections`
    does; it takes weights as they are. Raises InputError for arrays that don't fit together and for an efficiency
    outside (0, 1].
    """
    targets = _targets((signal_efficiency,))
    events, cut, falling = _falling(binary_events(scores, labels, None))

    def value(weights: Floats) -> float | None:
        kept = _background_kept(cut, events, weights[falling], targets)
        return None if kept is None or kept[0] <= 0.0 else float(1.0 / kept[0])

    return value


def _targets(signal_efficiencies: Sequence[float]) -> Floats:
    targets = np.asarray(signal_efficiencies, dtype=np.float64)
    if targets.ndim != 1 or np.any(targets <= 0.0) or np.any(targets > 1.0):
        raise InputError(f"Expected signal efficiencies above 0 and up to 1 and got {list(signal_efficiencies)}.")
    return targets


def _falling(events: BinaryEvents) -> tuple[BinaryEvents, Cuts, AnyIntegers]:
    """Events in falling order of score, their cuts, and that order.

    Each replica then runs through memory in a line.
    """
    order = cuts(events.scores).order
    ordered = BinaryEvents(events.scores[order], events.is_signal[order], events.weights[order])
    return ordered, cuts(ordered.scores), order


def _background_kept(cut: Cuts, events: BinaryEvents, weights: Floats, targets: Floats) -> Floats | None:
    found = efficiencies(cut, events.is_signal, weights)
    return None if found is None else found[1][first_reaching(found[0], targets)]


def _rejection(kept: float, replicas: Floats) -> Rejection | None:
    if kept <= 0.0:
        return None
    value = float(1.0 / kept)
    if len(replicas) < 2:
        return Rejection(value, None, None, None)
    spread = float(np.std(replicas, ddof=1))
    return Rejection(
        value,
        float(spread / kept**2),
        float(1.0 / (kept + spread)),
        float(1.0 / (kept - spread)) if kept > spread else None,
    )
