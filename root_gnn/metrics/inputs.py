"""Arrays from outside become checked float64 arrays here, once, with an error that names the first bad event."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from root_gnn.errors import InputError
from root_gnn.typing import AnyIntegers, Booleans, Floats


class BinaryEvents(NamedTuple):
    """Scores `(n_event,)`, which events are signal `(n_event,)`, and signed weights `(n_event,)`."""

    scores: Floats
    is_signal: Booleans
    weights: Floats


class ClassEvents(NamedTuple):
    """Probabilities `(n_event, n_class)`, labels `(n_event,)`, and signed weights `(n_event,)`."""

    probabilities: Floats
    labels: AnyIntegers
    weights: Floats


def binary_events(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None) -> BinaryEvents:
    """Checked events of a two-class problem: labels 1 (signal) and 0 (background), weights 1 where none are given.

    Raises InputError for lengths that differ, labels other than 0 and 1, and scores or weights that are not finite.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1:
        raise InputError(
            f"A metric of two classes expects one score per event, shape (n_event,), and got shape {values.shape}. "
            "Pass the column of the signal class."
        )
    _check_finite("score", values)
    classes = _labels(labels, len(values), 2)
    return BinaryEvents(values, classes == 1, checked_weights(weights, len(values)))


def class_events(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None) -> ClassEvents:
    """Checked events of a problem with two or more classes; a label is a column of `probabilities (n_event, n_class)`.

    Raises InputError for shapes that don't fit, labels without a column, and entries that are not finite.
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        raise InputError(
            "Expected probabilities of shape (n_event, n_class) with at least two classes and got shape "
            f"{values.shape}. A single score per event is np.stack([1 - score, score], axis=1)."
        )
    _check_finite("probability", values)
    return ClassEvents(values, _labels(labels, len(values), values.shape[1]), checked_weights(weights, len(values)))


def checked_columns(name: str, values: ArrayLike) -> Floats:
    """Checked `values (n_event, n_column)`; one column may be `(n_event,)`.

    Raises InputError for other shapes and entries that are not finite.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim not in (1, 2):
        raise InputError(
            f"Expected {name} of shape (n_event, n_column), or (n_event,) for one column, and got shape {found.shape}."
        )
    _check_finite(f"entry of {name}", found)
    return found[:, None] if found.ndim == 1 else found


def checked_weights(weights: ArrayLike | None, n_event: int) -> Floats:
    """Checked signed weights `(n_event,)`, 1 where none are given.

    Raises InputError for another shape and entries that are not finite.
    """
    if weights is None:
        return np.ones(n_event)
    values = np.asarray(weights, dtype=np.float64)
    _check_length("weights", values, n_event)
    _check_finite("weight", values)
    return values


def _labels(labels: ArrayLike, n_event: int, n_class: int) -> AnyIntegers:
    values = np.asarray(labels)
    _check_length("labels", values, n_event)
    whole = values.astype(np.int64)
    wrong = np.flatnonzero((whole != values) | (whole < 0) | (whole >= n_class))
    if len(wrong):
        raise InputError(
            f"Expected labels from 0 to {n_class - 1} and got {values[wrong[0]]} for event {wrong[0]} "
            f"({len(wrong)} such events). Check the classes of the task against the labels in the data."
        )
    return whole


def _check_length(name: str, values: NDArray[Any], n_event: int) -> None:
    if values.shape != (n_event,):
        raise InputError(f"Expected {name} of shape ({n_event},), one per score, and got shape {values.shape}.")


def _check_finite(name: str, values: Floats) -> None:
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        raise InputError(
            f"The {name} of event {wrong[0][0]} is {values[tuple(wrong[0])]} ({len(wrong)} such entries). "
            "Training may have diverged, or a branch holds values that are not finite."
        )
