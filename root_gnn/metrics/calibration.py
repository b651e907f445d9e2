"""Is an event with probability 0.8 signal in 80 % of cases? Calibration curve and expected calibration error.

The expected calibration error (Naeini, Cooper, Hauskrecht 2015; Guo et al. 2017, arXiv:1706.04599) is the mean over
bins of probability of |share of signal - mean probability|, each bin with its share of the weight. It is a mean of
absolute values, so that even perfect probabilities give more than zero in a finite sample: `null` says how much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.errors import InputError
from root_gnn.metrics.inputs import BinaryEvents, binary_events, class_events
from root_gnn.metrics.measured import weighted_mean, weighted_share
from root_gnn.typing import AnyIntegers, Floats


@dataclass(frozen=True)
class Calibration:
    """The calibration curve over bins of probability, and the expected calibration error `ece`.

    Attributes:
        edges: of the bins, `(n_bin + 1,)`, equally wide from 0 to 1.
        predicted, observed, error: mean probability, share of signal and its 68 % error, `(n_bin,)`; NaN where the
            weights of a bin sum to zero or less.
        n_event: events in each bin, `(n_bin,)`.
        ece: expected calibration error; `ece_error` is the spread of a Poisson bootstrap over events.
        null: the level that 95 % of samples stay below whose labels are drawn from the probabilities; `null_mean` is
            their mean.
    """

    edges: Floats
    predicted: Floats
    observed: Floats
    error: Floats
    n_event: AnyIntegers
    ece: float
    ece_error: float
    null: float
    null_mean: float


def calibration_error(
    probabilities: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    n_bin: int = 15,
    n_replica: int = 200,
    seed: int = 1,
) -> Calibration | None:
    """Calibration of the probability of signal, `probabilities (n_event,)` in [0, 1], with labels 1 and 0.

    Probabilities are right for the mixture of classes that the network was trained with: give weights that restore it
    where the evaluation has another. Negative weights count with their sign. None where the weights sum to zero or
    less. Raises InputError for arrays that don't fit together and probabilities outside [0, 1].

    Args:
        probabilities: of signal, `(n_event,)`, in [0, 1].
        labels: 1 for signal and 0 for background, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        n_bin: number of equally wide bins from 0 to 1.
        n_replica: number of replicas for the error and for the level of perfect probabilities.
        seed: of the random numbers of the replicas.
    """
    events = binary_events(probabilities, labels, weights)
    _check(events.scores, n_bin)
    if float(np.sum(events.weights)) <= 0.0:
        return None
    edges = np.linspace(0.0, 1.0, n_bin + 1)
    place = np.minimum((events.scores * n_bin).astype(np.int64), n_bin - 1)
    generator = np.random.default_rng(seed)
    repeated = [
        _ece(events.is_signal - events.scores, events.weights * generator.poisson(1.0, len(place)), place, n_bin)
        for _ in range(n_replica)
    ]
    null = [
        _ece((generator.random(len(place)) < events.scores) - events.scores, events.weights, place, n_bin)
        for _ in range(n_replica)
    ]
    return Calibration(
        edges,
        *_curve(events, place, n_bin),
        np.bincount(place, minlength=n_bin),
        ece=_ece(events.is_signal - events.scores, events.weights, place, n_bin),
        ece_error=float(np.nanstd(repeated, ddof=1)),
        null=float(np.quantile(null, 0.95)),
        null_mean=float(np.mean(null)),
    )


def confidence_calibration(
    probabilities: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    n_bin: int = 15,
    n_replica: int = 200,
    seed: int = 1,
) -> Calibration | None:
    """Calibration of the largest of `probabilities (n_event, n_class)`.

    The place of signal is taken by events whose most probable class is the true one.

    Args:
        probabilities: of each class, `(n_event, n_class)`, in [0, 1].
        labels: the true class of each event, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        n_bin: number of equally wide bins from 0 to 1.
        n_replica: number of replicas for the error and for the level of perfect probabilities.
        seed: of the random numbers of the replicas.
    """
    events = class_events(probabilities, labels, weights)
    right = np.argmax(events.probabilities, axis=1) == events.labels
    return calibration_error(
        events.probabilities.max(axis=1), right, events.weights, n_bin=n_bin, n_replica=n_replica, seed=seed
    )


def _check(probabilities: Floats, n_bin: int) -> None:
    wrong = np.flatnonzero((probabilities < 0.0) | (probabilities > 1.0))
    if len(wrong):
        raise InputError(
            f"Calibration takes probabilities in [0, 1], and that of event {wrong[0]} is {probabilities[wrong[0]]} "
            f"({len(wrong)} such events). Apply the softmax or the sigmoid to logits first."
        )
    if n_bin < 1:
        raise InputError(f"A calibration curve takes at least one bin and got {n_bin}.")


def _curve(events: BinaryEvents, place: AnyIntegers, n_bin: int) -> tuple[Floats, Floats, Floats]:
    curve = np.full((3, n_bin), np.nan)
    for k in range(n_bin):
        inside = place == k
        mean = weighted_mean(events.scores[inside], events.weights[inside])
        share = weighted_share(events.is_signal[inside], events.weights[inside])
        if mean is not None and share is not None:
            curve[:, k] = mean.value, *share
    return curve[0], curve[1], curve[2]


def _ece(excess: Floats, weights: Floats, place: AnyIntegers, n_bin: int) -> float:
    """Sum over bins of |weight of signal - weight expected|, over all weight.

    `excess` is label - probability, `(n_event,)`.
    """
    total = float(np.sum(weights))
    return float(np.sum(np.abs(np.bincount(place, weights * excess, n_bin)))) / total if total > 0.0 else np.nan
