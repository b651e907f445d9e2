"""Objects that the `select` of their collection removes whatever their invalid numbers are: those are not checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.data.reading.columns import PHI_LIMIT, Columns, equals_any, flat, nonfinite, replaced
from root_gnn.data.reading.entries import Entries
from root_gnn.data.reading.momentum import momentum_features
from root_gnn.data.reading.selection import CollectionSelection
from root_gnn.data.spec.collection import Collection
from root_gnn.data.spec.value import Value
from root_gnn.errors import InputError
from root_gnn.expressions.expression import parse
from root_gnn.typing import Integers

ETA = 50.0  # a larger one is a sentinel, and an energy computed from it may overflow


def removed_objects(
    entries: Entries, collection: Collection, selection: CollectionSelection
) -> NDArray[np.bool_] | None:
    """The objects, as they stand in the file, that `select` removes for sure, bool `(n_object,)`.

    An object is removed for sure if a part of the condition, of those that `and` joins, is false and reads valid
    numbers alone. None where all numbers are valid, or nothing can be said object by object.
    """
    if collection.select is None or collection.members is not None:
        return None
    parts = parse(collection.select).conjuncts()
    if not all(part.elementwise for part in parts):
        return None
    columns = _columns(entries, collection, selection)
    if columns is None or not any(_is_invalid(name, numbers) for name, numbers in columns.features.items()):
        return None
    n_object = len(next(iter(columns.features.values())))
    n_graph = 0 if columns.count is None else len(columns.count)
    with np.errstate(all="ignore"):
        features = {**columns.features, **momentum_features(dict(columns.features), n_object)}
    known = {**dict.fromkeys(collection.features, np.zeros(n_object)), **features}
    removed = np.zeros(n_object, dtype=bool)
    for part in parts:
        if not set(part.names) <= set(known):
            return None  # the selection itself is wrong, which its evaluation reports
        lists = {name: ak.Array(columns.by_graph(ak.contents.NumpyArray(known[name]))) for name in part.names}
        holds = flat(part.evaluate(lists, n_graph), entries.location(part.text))[0]
        if holds.dtype.kind != "b" or len(holds) != n_object:
            return None
        valid = np.ones(n_object, dtype=bool)
        for name in part.names:
            valid &= np.isfinite(known[name])
        removed |= valid & ~holds
    return removed


def _columns(entries: Entries, collection: Collection, selection: CollectionSelection) -> Columns | None:
    """The features of all objects of the file in GeV and radians, unchecked; None where their layout is not valid."""
    features: dict[str, NDArray[Any]] = {}
    count: Integers | None = None
    for name, value in selection.features.items():
        try:
            numbers, counts = _numbers(entries, collection, value)
        except (InputError, ValueError):
            return None  # reading reports it
        if counts is None or (count is not None and not np.array_equal(counts, count)):
            return None
        features[name], count = _converted(entries, numbers, value, collection.factor(name, value)), counts
    return None if count is None else Columns(features, count)


def _numbers(entries: Entries, collection: Collection, value: Value) -> tuple[NDArray[Any], Integers | None]:
    """The numbers of all objects, and how many each graph has."""
    if collection.slots is not None:
        slots = [flat(entries.raw(each), entries.location(each.text))[0] for each in map(value.at, collection.slots)]
        return np.stack(slots, axis=1).ravel(), np.full(entries.n_entry, len(slots), dtype=np.int64)
    array = ak.Array(entries.raw(value))
    if entries.rows.count is not None:
        array = ak.flatten(array, axis=1)
    return flat(array, entries.location(value.text))


def _converted(entries: Entries, numbers: NDArray[Any], value: Value, factor: float) -> NDArray[Any]:
    if value.missing:
        numbers = replaced(
            numbers, equals_any(numbers, value.missing, computed=value.branch is None), entries.spec.fill
        )
    if value.above is not None:
        return np.where(np.isfinite(numbers), numbers > value.above, np.nan)
    return numbers if factor == 1.0 else numbers.astype(np.float64) * factor


def _is_invalid(name: str, numbers: NDArray[Any]) -> bool:
    """Whether some numbers of a feature would be refused."""
    if not numbers.size:
        return False
    if nonfinite(numbers) is not None:
        return True
    limits: dict[str, Iterable[float]] = {
        "pt": (0.0, np.inf),
        "energy": (0.0, np.inf),
        "phi": (-PHI_LIMIT, PHI_LIMIT),
        "eta": (-ETA, ETA),
    }
    low, high = limits.get(name, (-np.inf, np.inf))
    return bool(numbers.min() < low or numbers.max() > high)
