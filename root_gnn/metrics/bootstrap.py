"""Is one model better than another? A bootstrap over test events and training seeds at once.

Events: in each replica every test event counts a Poisson(1) number of times, the same number for every model and seed,
so what the models share cancels in their difference. Seeds: each replica also draws as many seeds as there are, with
repetition, the same for both models, and moves by the mean of the values drawn. That move is corrected twice. The
values of the seeds differ by the chance of the test events too, which is in the interval already: the variance between
seeds is reduced by what the event replicas show of it. And drawing from n seeds gives a spread too small by sqrt((n -
1) / n), estimated from few: it is stretched by sqrt(n / (n - 1)) and by Student's factor for n - 1 degrees of freedom
(1.32 for three seeds). The interval of one seed holds the test events only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from root_gnn.errors import InputError
from root_gnn.metrics.auc import auc_of
from root_gnn.typing import AnyIntegers, Floats

Scores = NDArray[np.floating[Any]]
Statistic = Callable[[Any, Any], Callable[[Floats], "float | None"]]
ONE_SIGMA = 0.8413447460685429
UNDEFINED_TOLERATED = 0.01


class SeedMean(NamedTuple):
    """Mean of a metric over seeds.

    Attributes:
        mean: the mean.
        low: lower end of its 68 % interval.
        high: upper end.
        per_seed: the value of each seed.
        n_seed: number of seeds.
    """

    mean: float
    low: float
    high: float
    per_seed: tuple[float, ...]
    n_seed: int


class PairedDifference(NamedTuple):
    """Mean over seeds of the difference a - b of a metric of two models.

    Attributes:
        mean: the mean difference.
        low: lower end of its 68 % interval.
        high: upper end.
        per_seed: the difference of each seed.
        n_seed: number of seeds.
        excludes_zero: whether the interval excludes zero.
    """

    mean: float
    low: float
    high: float
    per_seed: tuple[float, ...]
    n_seed: int
    excludes_zero: bool


def paired_difference(
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    metric: Statistic = auc_of,
    n_replica: int = 1000,
    seed: int = 1,
) -> PairedDifference | None:
    """Mean difference a - b of a metric over seeds, with a 68 % interval from events and seeds.

    `scores_a` and `scores_b` are `(n_seed, n_event)` on the same test events, row k of both trained with the same seed
    (further axes are passed on to `metric`). `metric(scores, labels)` is called once for each model and seed and gives
    a function of the weights `(n_event,)`, called once for each replica; it is the binary AUC unless given. Negative
    weights count with their sign. None where the metric is None on these events, or in more than 1 % of the replicas.
    Raises InputError for shapes that differ.

    Args:
        scores_a: of the first model, `(n_seed, n_event)`.
        scores_b: of the second model, `(n_seed, n_event)`.
        labels: 1 for signal and 0 for background, or the class, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        metric: makes a function of the weights `(n_event,)` from scores and labels; the binary AUC unless given.
        n_replica: number of replicas of the bootstrap.
        seed: of the random numbers of the replicas.
    """
    a, b = _seeds_first(scores_a), _seeds_first(scores_b)
    if a.shape != b.shape:
        raise InputError(
            f"A paired comparison expects scores of the same shape (n_seed, n_event) and got {a.shape} and {b.shape}. "
            "Evaluate both models on the same test events with the same seeds."
        )
    found = _value_and_replicas([*a, *b], labels, weights, metric=metric, n_replica=n_replica, seed=seed)
    if found is None:
        return None
    value, replicas, generator = found
    n_seed = len(a)
    per_seed, differences = value[:n_seed] - value[n_seed:], replicas[:, :n_seed] - replicas[:, n_seed:]
    low, high = _interval(per_seed, differences, generator)
    return PairedDifference(
        float(np.mean(per_seed)), low, high, tuple(map(float, per_seed)), n_seed, low > 0.0 or high < 0.0
    )


def seed_mean(
    scores: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    metric: Statistic = auc_of,
    n_replica: int = 1000,
    seed: int = 1,
) -> SeedMean | None:
    """Mean over seeds of a metric of `scores (n_seed, n_event)`, with a 68 % interval from events and seeds.

    `metric`, negative weights and None are as in `paired_difference`.

    Args:
        scores: of the model, `(n_seed, n_event)`.
        labels: 1 for signal and 0 for background, or the class, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        metric: makes a function of the weights `(n_event,)` from scores and labels; the binary AUC unless given.
        n_replica: number of replicas of the bootstrap.
        seed: of the random numbers of the replicas.
    """
    found = _value_and_replicas(
        list(_seeds_first(scores)), labels, weights, metric=metric, n_replica=n_replica, seed=seed
    )
    if found is None:
        return None
    value, replicas, generator = found
    return SeedMean(float(np.mean(value)), *_interval(value, replicas, generator), tuple(map(float, value)), len(value))


def seed_replicas(
    scores: Sequence[ArrayLike],
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    metric: Statistic = auc_of,
    n_replica: int = 1000,
    seed: int = 1,
) -> tuple[Floats, Floats] | None:
    """Means over seeds of a metric of several models, `(n_model,)`, and their replicas, `(n_replica, n_model)`.

    For figures that several models enter. Each of `scores` is `(n_seed, n_event)`, row k of all trained with the same
    seed: a replica counts the events, and draws the seeds, alike in all of them. `metric`, negative weights and None
    are as in `paired_difference`. Raises InputError for shapes that differ.

    Args:
        scores: of each model, `(n_seed, n_event)`.
        labels: 1 for signal and 0 for background, or the class, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        metric: makes a function of the weights `(n_event,)` from scores and labels; the binary AUC unless given.
        n_replica: number of replicas of the bootstrap.
        seed: of the random numbers of the replicas.
    """
    models = [_seeds_first(one) for one in scores]
    shapes = sorted({model.shape for model in models})
    if len(shapes) != 1:
        raise InputError(
            f"Models are compared by scores of the same shape (n_seed, n_event) and have {shapes}. "
            "Evaluate all of them on the same test events with the same seeds."
        )
    found = _value_and_replicas(
        [row for model in models for row in model], labels, weights, metric=metric, n_replica=n_replica, seed=seed
    )
    if found is None:
        return None
    n_model, n_seed, generator = len(models), shapes[0][0], found[2]
    value, replicas = found[0].reshape(n_model, n_seed), found[1].reshape(-1, n_model, n_seed)
    drawn = _drawn((len(replicas), n_seed), generator)
    return value.mean(axis=1), np.stack([_means(value[k], replicas[:, k], drawn) for k in range(n_model)], axis=1)


def _seeds_first(scores: ArrayLike) -> Scores:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim < 2 or len(values) == 0:
        raise InputError(
            f"Expected scores of shape (n_seed, n_event) with at least one seed and got shape {values.shape}."
        )
    return values


def _value_and_replicas(
    models: list[Scores],
    labels: ArrayLike,
    weights: ArrayLike | None,
    *,
    metric: Statistic,
    n_replica: int,
    seed: int,
) -> tuple[Floats, Floats, np.random.Generator] | None:
    """The metric of each model `(n_model,)`, and of each in each replica `(n_replica, n_model)`.

    Args:
        models: scores of each model, `(n_seed, n_event)`.
        labels: 1 for signal and 0 for background, or the class, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        metric: makes a function of the weights `(n_event,)` from scores and labels; the binary AUC unless given.
        n_replica: number of replicas of the bootstrap.
        seed: of the random numbers of the replicas.
    """
    n_event = models[0].shape[0]
    checked = np.ones(n_event) if weights is None else np.asarray(weights, dtype=np.float64)
    if checked.shape != (n_event,):
        raise InputError(f"Expected weights of shape ({n_event},), one per test event, and got shape {checked.shape}.")
    if n_event == 0:
        return None
    statistics = [metric(model, labels) for model in models]
    value = np.array([statistic(checked) for statistic in statistics], dtype=np.float64)  # None becomes NaN
    if np.any(np.isnan(value)):
        return None
    generator = np.random.default_rng(seed)
    replicas = np.empty((n_replica, len(models)))
    for row in replicas:
        drawn = checked * generator.poisson(1.0, n_event)
        row[:] = [statistic(drawn) for statistic in statistics]
    defined = ~np.any(np.isnan(replicas), axis=1)
    if np.sum(defined) < 2 or np.mean(~defined) > UNDEFINED_TOLERATED:
        return None
    return value, replicas[defined], generator


def _interval(value: Floats, replicas: Floats, generator: np.random.Generator) -> tuple[float, float]:
    """Central 68 % interval of the mean over seeds.

    `value (n_seed,)` is as measured, `replicas (n_replica, n_seed)` are those of the events.
    """
    low, high = np.quantile(_means(value, replicas, _drawn(replicas.shape, generator)), [1.0 - ONE_SIGMA, ONE_SIGMA])
    return float(low), float(high)


def _drawn(shape: tuple[int, ...], generator: np.random.Generator) -> AnyIntegers:
    """The seeds of each replica, `shape` (n_replica, n_seed); a single seed has nothing to draw."""
    n_replica, n_seed = shape
    return generator.integers(n_seed, size=shape) if n_seed > 1 else np.zeros((n_replica, 1), dtype=np.int64)


def _means(value: Floats, replicas: Floats, drawn: AnyIntegers) -> Floats:
    """Mean over seeds in each replica of events and seeds, `(n_replica,)`."""
    means: Floats = replicas.mean(axis=1)
    if len(value) == 1:
        return means
    moved: Floats = means + _stretch(value, replicas) * (value[drawn].mean(axis=1) - value.mean())
    return moved


def _stretch(value: Floats, replicas: Floats) -> float:
    """What turns the spread of means of drawn seeds into the seeds' part of the error of their mean."""
    n_seed = len(value)
    observed = float(np.var(value, ddof=1))
    if observed == 0.0:
        return 0.0
    from_events = float(np.mean(np.var(replicas - value, axis=1, ddof=1)))
    share = max(0.0, 1.0 - from_events / observed)
    return math.sqrt(share * n_seed / (n_seed - 1.0)) * float(stdtrit(n_seed - 1, ONE_SIGMA))
