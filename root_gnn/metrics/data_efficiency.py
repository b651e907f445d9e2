"""How many times fewer training events does one model need for the same figure?

At a training size n a model reaches a figure, say an AUC; the reference needs n' events for it, read off its own curve
of the figure against the logarithm of the training size, by straight lines between the sizes that were trained. The
factor is n' / n. Nothing is extrapolated: beyond the curve's ends there is a limit and no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.errors import InputError
from root_gnn.metrics.auc import auc_of
from root_gnn.metrics.bootstrap import ONE_SIGMA, Statistic, seed_replicas
from root_gnn.typing import Floats


@dataclass(frozen=True)
class DataEfficiency:
    """The factor at one training size, and its 68 % interval.

    Attributes:
        size: training events of the model.
        figure: what it reaches with them, the mean over seeds.
        factor: how many times as many events the reference needs; a limit unless `kind` is `measured`.
        kind: `at least` where the reference does not get there with its largest size, `at most` where its smallest is
            better already.
        low, high: the interval; None where it is open, since replicas lie beyond the curve of the reference.
    """

    size: int
    figure: float
    factor: float
    kind: Literal["measured", "at least", "at most"]
    low: float | None
    high: float | None


def data_efficiency(
    sizes: Sequence[int],
    scores: Sequence[ArrayLike],
    reference: Sequence[ArrayLike],
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    metric: Statistic = auc_of,
    n_replica: int = 200,
    seed: int = 1,
) -> tuple[DataEfficiency, ...] | None:
    """The data-efficiency factor at each training size, with intervals from events and seeds.

    `sizes` are ascending numbers of training events.

    `scores` and `reference` hold for each size the scores `(n_seed, n_event)` of the model and of the reference: the
    same test events and seeds throughout, as for `seed_replicas`. The figure is the binary AUC unless `metric` is
    another that rises. A curve that isn't monotone is read where it first reaches the figure. Negative weights count
    with their sign. None where the figure is not defined. Raises InputError for fewer than two sizes, sizes that don't
    ascend, and shapes that differ.

    Args:
        sizes: numbers of training events, ascending.
        scores: of the model at each size, `(n_seed, n_event)`.
        reference: scores of the reference at each size, `(n_seed, n_event)`.
        labels: 1 for signal and 0 for background, or the class, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        metric: makes a function of the weights `(n_event,)` from scores and labels; the binary AUC unless given.
        n_replica: number of replicas of the bootstrap.
        seed: of the random numbers of the replicas.
    """
    n_train = _sizes(sizes)
    if not len(n_train) == len(scores) == len(reference):
        raise InputError(
            f"Data efficiency takes the scores of both models at each of {len(n_train)} sizes and got those at "
            f"{len(scores)} and {len(reference)}."
        )
    found = seed_replicas([*scores, *reference], labels, weights, metric=metric, n_replica=n_replica, seed=seed)
    if found is None:
        return None
    value, replicas = found
    n = len(n_train)
    needed = [
        (size_needed(n_train, value[n:], value[k]), size_needed(n_train, replicas[:, n:], replicas[:, k]))
        for k in range(n)
    ]
    return tuple(_factor(n_train, k, float(value[k]), *needed[k]) for k in range(n))


def size_needed(sizes: ArrayLike, curve: ArrayLike, level: ArrayLike) -> Floats:
    """Training events at which a `curve (..., n_size)` over ascending `sizes (n_size,)` first reaches `level (...)`.

    Linear in log(size) between sizes; infinity where it never does, zero where it is above at the smallest size
    already.
    """
    figure, wanted = np.asarray(curve, dtype=np.float64), np.asarray(level, dtype=np.float64)[..., None]
    steps = np.log(np.asarray(sizes, dtype=np.float64))
    reached = figure >= wanted
    upper = np.maximum(np.argmax(reached, axis=-1), 1)[..., None]
    before, after = np.take_along_axis(figure, upper - 1, axis=-1), np.take_along_axis(figure, upper, axis=-1)
    rise = np.where(after > before, after - before, 1.0)
    found = np.exp(steps[upper - 1] + (steps[upper] - steps[upper - 1]) * np.clip((wanted - before) / rise, 0.0, 1.0))[
        ..., 0
    ]
    above = figure[..., 0] > wanted[..., 0]
    return np.where(above, 0.0, np.where(np.any(reached, axis=-1), found, np.inf))


def _factor(n_train: Floats, place: int, figure: float, needed: Floats, replicas: Floats) -> DataEfficiency:
    """The factor at one size; what lies outside the sizes of the reference is a bound.

    Args:
        n_train: ascending numbers of training events, `(n_size,)`.
        place: position of the size among the sizes of the reference.
        figure: the metric of the model.
        needed: training events that the reference needs for that figure.
        replicas: of `needed`, `(n_replica,)`.
    """
    size, smallest, largest = n_train[place], n_train[0], n_train[-1]
    inside = np.clip(float(needed), smallest, largest) / size
    kind: Literal["measured", "at least", "at most"] = (
        "at least" if np.isinf(needed) else "at most" if needed == 0.0 else "measured"
    )
    low, high = np.quantile(replicas, [1.0 - ONE_SIGMA, ONE_SIGMA], method="inverted_cdf")
    return DataEfficiency(
        int(size),
        figure,
        float(inside),
        kind,
        low=None if low == 0.0 else float(min(low, largest) / size),
        high=None if np.isinf(high) else float(max(high, smallest) / size),
    )


def _sizes(sizes: Sequence[int]) -> Floats:
    n_train = np.asarray(sizes, dtype=np.float64)
    if n_train.ndim != 1 or len(n_train) < 2 or n_train[0] <= 0.0 or np.any(np.diff(n_train) <= 0.0):
        raise InputError(
            f"Data efficiency takes two training sizes or more, in ascending order, and got {list(sizes)}."
        )
    return n_train
