"""The objects of one collection as flat columns with a count per graph, from any layout of the file."""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.data.reading.columns import BranchLocation, Columns, check_momentum, flat, whole
from root_gnn.data.reading.entries import Entries, same_counts
from root_gnn.data.reading.momentum import momentum_features
from root_gnn.data.reading.removal import removed_objects
from root_gnn.data.reading.selection import CollectionSelection
from root_gnn.data.spec.collection import Collection, CollectionMembers
from root_gnn.data.spec.value import Value
from root_gnn.errors import InputError, suggest
from root_gnn.expressions.expression import parse
from root_gnn.typing import Integers


def objects(entries: Entries, name: str, collection: Collection, selection: CollectionSelection | None) -> Columns:
    """The objects of a collection: `pt eta phi energy` (GeV, radians, float32) and the further features of the spec.

    There are none where `selection` is None. Raises InputError naming file, branch and entry of a value that is not
    valid.
    """
    removed = None if selection is None else removed_objects(entries, collection, selection)
    if selection is None:
        columns = Columns({}, np.zeros(len(entries.rows), dtype=np.int64))
    elif collection.single:
        columns = Columns(
            {key: _one_each(entries, collection, key, value) for key, value in selection.features.items()}, None
        )
    elif collection.slots is not None:
        columns = _from_slots(entries, collection, selection, collection.slots, removed)
    else:
        columns = _from_lists(entries, collection, selection, removed)
    n_object = len(entries.rows) if columns.count is None else int(columns.count.sum())
    features = columns.features
    entries.findings.add_wrapped(name, columns.features.get("phi"))
    columns = Columns(momentum_features(columns.features, n_object), columns.count)
    for derived in ("eta", "energy"):
        numbers = columns.features[derived]
        if derived not in features and not np.isfinite(numbers).all():
            value = Value(branch=f"{name} ({derived} derived from {', '.join(features)})")
            location = entries.location(value.text, _count(entries, columns))
            if entries.spec.on_nan == "stop":
                location.refuse(~np.isfinite(numbers), "infinity", columns.features["eta"], "Is eta a sentinel?")
            columns.features[derived] = entries.clean(numbers, location, value, 1.0)[0]
    if collection.select is not None:
        known = Columns({**features, **columns.features}, columns.count)
        columns = columns.select(_selected(entries, f"nodes.{name}.select", collection, known))
    if "energy" in features:
        given = columns.features
        entries.findings.add_energy(name, given["pt"], given["eta"], given["energy"])
    recorded = [
        feature
        for feature in entries.spec.stored_features
        if feature in columns.features and (feature != "eta" or {"eta", "pz"} & set(features))
    ]
    entries.findings.add_objects(name, [(feature, columns.features[feature]) for feature in recorded], columns.count)
    return columns


def _one_each(entries: Entries, collection: Collection, name: str, value: Value) -> NDArray[Any]:
    """One number per graph, `(n_row,)`: that of its entry, or its own one of the list whose values are the graphs."""
    numbers, location = entries.numbers(value, collection.factor(name, value))
    check_momentum(name, numbers, location)
    rows = entries.rows
    if location.count is None:
        return numbers if rows.count is None else numbers[rows.entry]
    if rows.count is not None:
        same_counts(location, rows.count, str(entries.spec.graph_per))
    elif (location.count != 1).any():
        entry = int(np.argmax(location.count != 1))
        raise InputError(
            f"{entries.path}: branch {value.text} has {location.count[entry]} values in entry {entries.start + entry}, "
            "but a single collection has one number per entry. Take one with `item: 0`, or leave `single` out."
        )
    return numbers


def _from_slots(
    entries: Entries,
    collection: Collection,
    selection: CollectionSelection,
    slots: tuple[str, ...],
    removed: NDArray[np.bool_] | None,
) -> Columns:
    """Numbered objects (`jet0_pt`, `jet1_pt`): the columns of all slots, entry by entry, without the removed ones.

    Args:
        entries: the entries that are read.
        collection: the collection of the spec.
        selection: its values in this file.
        slots: what replaces `%SLOT%` in the names, one after another.
        removed: bool `(n_entry * n_slot,)`, objects that `select` removes for sure; None for none.
    """
    if entries.rows.count is not None:
        raise InputError(f"{entries.path}: slots come once per entry and cannot be combined with graph_per.")
    mask = selection.mask
    real = {} if mask is None else {slot: _slot(entries, mask.at(slot), "mask", collection) != 0 for slot in slots}
    if removed is not None:
        kept = dict(zip(slots, ~removed.reshape(entries.n_entry, len(slots)).T, strict=True))
        real = {slot: kept[slot] & real[slot] if slot in real else kept[slot] for slot in slots}
    features = {}
    for name, value in selection.features.items():
        columns = [_slot(entries, value.at(slot), name, collection, real.get(slot)) for slot in slots]
        features[name] = np.stack(columns, axis=1).ravel()
    objects = Columns(features, np.full(entries.n_entry, len(slots), dtype=np.int64))
    return objects if not real else objects.select(np.stack(list(real.values()), axis=1).ravel())


def _slot(
    entries: Entries, value: Value, name: str, collection: Collection, real: NDArray[np.bool_] | None = None
) -> NDArray[Any]:
    """One feature of the objects in one slot, `(n_entry,)`.

    Args:
        entries: the entries that are read.
        value: the feature's value in this slot.
        name: the name of the feature.
        collection: the collection, which knows the feature's unit.
        real: bool `(n_entry,)`, False where the slot is empty; None if all are filled.

    Raises InputError where the branch is a list, or a momentum is not valid.
    """
    numbers, location = entries.numbers(value, collection.factor(name, value), real=real)
    if location.count is not None:
        raise InputError(f"{entries.path}: branch {value.text} is a list per entry; a slot is one number per entry.")
    return _checked(name, numbers, location)


def _from_lists(
    entries: Entries, collection: Collection, selection: CollectionSelection, removed: NDArray[np.bool_] | None
) -> Columns:
    """Objects from a list per entry, from an index table, or (with `graph_per`) from a list of lists."""
    features: dict[str, NDArray[Any]] = {}
    # All branches of a collection must agree with the first one on the number of objects.
    first: tuple[str, Integers] | None = None
    nested = entries.rows.count is not None and collection.members is None
    real = None if removed is None else ~removed
    for name, value in {**({"mask": selection.mask} if selection.mask else {}), **selection.features}.items():
        factor = collection.factor(name, value)
        numbers, location = (
            _nested(entries, value, factor, real) if nested else entries.numbers(value, factor, real=real)
        )
        if location.count is None:
            raise InputError(
                f"{entries.path}: branch {value.text} has one number per entry; a list was expected. Say `single: "
                "true` where the object comes once, or name `slots`."
            )
        first = first or (value.text, location.count)
        same_counts(location, first[1], first[0])
        if value is selection.mask:
            real = numbers != 0 if real is None else real & (numbers != 0)
        else:
            features[name] = _checked(name, numbers, location)
    if first is None:
        raise InputError(f"{entries.path}: a collection without any branch has no objects to count.")
    columns = Columns(features, first[1])
    columns = columns if real is None else columns.select(real)
    return columns if collection.members is None else _members(entries, collection.members, columns)


def _nested(
    entries: Entries, value: Value, factor: float, real: NDArray[np.bool_] | None
) -> tuple[NDArray[Any], BranchLocation]:
    """A list of lists per entry as a list per graph: the numbers, and their location with a count per graph.

    What `real (n_number,)` marks as False is padding and becomes 0.
    """
    array = ak.Array(entries.raw(value))
    rows = entries.rows
    if array.ndim != 3 or rows.count is None:
        raise InputError(
            f"{entries.path}: branch {value.text} has the type {array.type}; with graph_per a list of lists, or "
            "`members`, was expected."
        )
    same_counts(
        entries.location(value.text, ak.to_numpy(ak.num(array, axis=1)).astype(np.int64)),
        rows.count,
        str(entries.spec.graph_per),
    )
    inner = ak.flatten(array, axis=1)
    numbers, count = flat(inner, entries.location(value.text))
    if real is not None and len(real) == len(numbers):
        numbers = np.where(real, numbers, 0)
    owner = (
        None if count is None else np.bincount(rows.entry, weights=count, minlength=entries.n_entry).astype(np.int64)
    )
    cleaned, _ = entries.clean(numbers, entries.location(value.text, owner), value, factor)
    return cleaned, entries.location(value.text, count)


def _members(entries: Entries, members: CollectionMembers, columns: Columns) -> Columns:
    """The objects that an index table assigns to each graph, in the order of the table."""
    rows, count = entries.rows, columns.count
    if rows.count is None or count is None:
        raise InputError(f"{entries.path}: members need graph_per and lists per entry.")
    row, row_at = entries.numbers(Value(branch=members.row))
    item, item_at = entries.numbers(Value(branch=members.item))
    if row_at.count is None:
        raise InputError(f"{entries.path}: branch {members.row} has one number per entry; an index table is a list.")
    same_counts(item_at, row_at.count, members.row)
    entry = np.repeat(np.arange(entries.n_entry, dtype=np.int64), row_at.count)
    row, item = whole(row, row_at), whole(item, item_at)
    advice = "The index table and its collections disagree."
    row_at.refuse((row < 0) | (row >= rows.count[entry]), "an index of no graph", row, advice)
    item_at.refuse((item < 0) | (item >= count[entry]), "an index of no object", item, advice)
    # the number of the graph in this range, then of the object, from the index within its entry
    graph = (np.cumsum(rows.count) - rows.count)[entry] + row
    order = np.argsort(graph, kind="stable")  # stable keeps the order of the table within a graph
    source = ((np.cumsum(count) - count)[entry] + item)[order]
    return Columns(
        {name: column[source] for name, column in columns.features.items()}, np.bincount(graph, minlength=len(rows))
    )


def _selected(entries: Entries, where: str, collection: Collection, columns: Columns) -> NDArray[np.bool_]:
    """The objects that the collection's `select` keeps, bool `(n_object,)`; a feature that the file lacks is 0."""
    text = str(collection.select)
    expression = parse(text, where=where)
    absent = np.zeros(len(columns.features["pt"]), dtype=np.float32)
    known = {**dict.fromkeys(collection.features, absent), **columns.features}
    for name in expression.names:
        if name not in known:
            advice = (
                "" if collection.members else "; other branches of the file select in its `mask: {expression: ...}`"
            )
            raise expression.error(
                f"`{name}` is no feature of the collection{suggest(name, known)}{advice}", expression.columns[name]
            )
    if columns.count is None:
        raise InputError(f"{where}: a collection that comes once per graph has no objects to select.")
    lists = {name: ak.Array(columns.by_graph(ak.contents.NumpyArray(known[name]))) for name in expression.names}
    chosen, count = flat(expression.evaluate(lists, len(entries.rows)), entries.location(text))
    if count is None or chosen.dtype.kind != "b":
        raise expression.error("a condition of each object, such as `pt > 25`, was expected")
    return np.asarray(chosen, dtype=bool)


def _checked(name: str, numbers: NDArray[Any], location: BranchLocation) -> NDArray[Any]:
    check_momentum(name, numbers, location)
    return numbers


def _count(entries: Entries, columns: Columns) -> Integers | None:
    """How many objects each entry has, for messages."""
    rows = entries.rows
    if rows.count is None:
        return columns.count
    weights = np.ones(len(rows)) if columns.count is None else columns.count
    return np.bincount(rows.entry, weights=weights, minlength=entries.n_entry).astype(np.int64)
