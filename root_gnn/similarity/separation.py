"""Separation of classes in a representation: Fisher's, which a linear cut can use, and the silhouette."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from root_gnn.errors import InputError
from root_gnn.similarity.representation import as_matrix, centred
from root_gnn.typing import Floats, Integers

N_GROUP = 20
CHUNK = 512
RANK_BELOW = 1e-10


class Separation(NamedTuple):
    """A measure of separation with its 68 % error over events.

    The error is that of a jackknife that leaves out one twentieth of each class at a time.
    """

    value: float
    error: float


def fisher(z: Any, labels: ArrayLike) -> Separation | None:
    """Computes Fisher's separation of the classes, trace of within^-1 between; None where it is not defined.

    It is the mean over events of the squared distance of their class's mean from the common mean, in units of the
    spread within classes: a quarter of the squared distance of two classes of equal size. It does not change under
    linear maps. It is corrected for the chance that few events in many dimensions look apart (Hotelling's trace of
    Gaussian classes minus its expectation, Muirhead 1982): it is zero on average for equal classes, so it may be
    negative. It is not defined with one class, without spread within the classes, and with no more events than
    dimensions, classes and two.

    Args:
        z: representations, numpy or torch, `(n_event, dim)`.
        labels: the class of each event, `(n_event,)`.

    Raises:
        InputError: for arrays that don't fit together or are not finite.
    """
    features, place = _events(z, labels)
    rotated = _full_rank(features)
    return _with_error(lambda kept: _fisher(rotated[kept], place[kept]), place)


def silhouette(z: Any, labels: ArrayLike) -> Separation | None:
    """Computes the mean silhouette of the classes, in [-1, 1], zero where classes overlap; None with one class only.

    The silhouette of an event with mean distance a to its own class and b to the nearest other one is (b - a) / max(a,
    b), and zero where it is the only one of its class (Rousseeuw 1987, J. Comput. Appl. Math. 20, 53). It takes n^2
    time and the memory of a block of rows.

    Args:
        z: representations, numpy or torch, `(n_event, dim)`.
        labels: the class of each event, `(n_event,)`.

    Raises:
        InputError: for arrays that don't fit together or are not finite.
    """
    features, place = _events(z, labels)
    group = _groups(place)
    if int(place.max(initial=0)) == 0:
        return None
    sums = _distance_sums(features, place, group)
    return _with_error(lambda kept: _silhouette(sums, place, group, kept), place)


def _events(z: Any, labels: ArrayLike) -> tuple[Floats, Integers]:
    features, given = as_matrix(z, "z"), np.asarray(labels)
    if given.shape != (len(features),):
        raise InputError(
            f"Expected labels of shape ({len(features)},), one per event of the representation, and got shape "
            f"{given.shape}."
        )
    return features, np.unique(given, return_inverse=True)[1].astype(np.int64)


def _groups(place: Integers) -> Integers:
    """Deals out events of each class in turn to twenty groups, which so have the same share of each class."""
    turn = np.empty(len(place), dtype=np.int64)
    turn[np.argsort(place, kind="stable")] = np.arange(len(place))
    return turn % N_GROUP


def _with_error(value: Callable[[NDArray[np.bool_]], float | None], place: Integers) -> Separation | None:
    """Returns the value of all events, and the error of a jackknife that deletes groups."""
    group = _groups(place)
    found = value(np.ones(len(place), dtype=bool))
    left = [value(group != one) for one in range(N_GROUP)]
    if found is None or any(one is None for one in left):
        return None
    return Separation(found, math.sqrt((N_GROUP - 1.0) * float(np.var(np.array(left, dtype=np.float64)))))


def _full_rank(features: Floats) -> Floats:
    """Returns features along the directions in which they differ at all, scaled to variance one."""
    if len(features) == 0:
        return features
    left, singular, _ = np.linalg.svd(centred(features), full_matrices=False)
    used = singular > RANK_BELOW * max(float(singular.max(initial=0.0)), np.finfo(np.float64).tiny)
    result: Floats = left[:, used] * math.sqrt(len(features))
    return result


def _fisher(features: Floats, place: Integers) -> float | None:
    counts = np.bincount(place)
    n, dim, n_class = len(place), features.shape[1], int(np.sum(counts > 0))
    degrees = n - n_class - dim - 1
    if n_class < 2 or dim == 0 or degrees <= 0:
        return None
    means = np.zeros((len(counts), dim))
    np.add.at(means, place, features)
    means /= np.maximum(counts, 1)[:, None]
    inside, apart = features - means[place], np.sqrt(counts)[:, None] * (means - features.mean(axis=0))
    within = inside.T @ inside
    if np.linalg.eigvalsh(within)[0] <= RANK_BELOW * n:
        return None
    trace = float(np.sum(apart.T * np.linalg.solve(within, apart.T)))
    return float(degrees * trace - dim * (n_class - 1)) / n


def _distance_sums(features: Floats, place: Integers, group: Integers) -> Floats:
    """Returns the summed distances of each event to those of each group and class, `(n_event, N_GROUP, n_class)`."""
    n_class = int(place.max()) + 1
    member = np.zeros((len(place), N_GROUP * n_class))
    member[np.arange(len(place)), group * n_class + place] = 1.0
    values = centred(features)
    squares = np.einsum("ij,ij->i", values, values)
    sums = np.empty((len(place), N_GROUP * n_class))
    for start in range(0, len(place), CHUNK):
        rows = slice(start, start + CHUNK)
        distances = np.sqrt(np.maximum(squares[rows, None] + squares - 2.0 * values[rows] @ values.T, 0.0))
        np.fill_diagonal(distances[:, start:], 0.0)  # of an event to itself: rounding would leave something
        sums[rows] = distances @ member
    return sums.reshape(len(place), N_GROUP, n_class)


def _silhouette(sums: Floats, place: Integers, group: Integers, kept: NDArray[np.bool_]) -> float | None:
    there = np.zeros(N_GROUP, dtype=bool)
    there[group[kept]] = True
    counts = np.bincount(place[kept], minlength=sums.shape[2])
    if np.sum(counts > 0) < 2:
        return None
    mine, total = place[kept], sums[kept][:, there].sum(axis=1)
    each = np.arange(len(mine))
    own = total[each, mine] / np.maximum(counts[mine] - 1, 1)
    others = np.where(counts > 0, total / np.maximum(counts, 1), np.inf)
    others[each, mine] = np.inf
    nearest, larger = others.min(axis=1), np.maximum(own, others.min(axis=1))
    width = np.where(counts[mine] > 1, nearest - own, 0.0)
    return float(np.mean(np.divide(width, larger, out=np.zeros_like(width), where=larger > 0.0)))
