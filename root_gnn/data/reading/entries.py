"""The branches of a range of entries, as checked numbers in GeV and radians, and the rows that graphs are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.data.reading.columns import BranchLocation, Known, flat, infinite, whole
from root_gnn.data.reading.findings import Findings
from root_gnn.data.spec.spec import Spec
from root_gnn.data.spec.value import UNITS, Value
from root_gnn.errors import InputError
from root_gnn.expressions.expression import parse
from root_gnn.typing import Integers


@dataclass(frozen=True)
class GraphPlaces:
    """Which graphs there are: `entry (n_row,)`, from 0, of each, and its place `object (n_row,)` in the entry's list; `count` per entry."""

    entry: Integers
    object: Integers
    count: Integers | None = None

    def __len__(self) -> int:
        return len(self.entry)

    @classmethod
    def of_entries(cls, n_entry: int) -> GraphPlaces:
        """One graph an entry."""
        return cls(np.arange(n_entry, dtype=np.int64), np.zeros(n_entry, dtype=np.int64))

    @classmethod
    def of_lists(cls, count: Integers) -> GraphPlaces:
        """One graph for each value of a list per entry, `count (n_entry,)`."""
        entry = np.repeat(np.arange(len(count), dtype=np.int64), count)
        return cls(entry, np.arange(len(entry), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count), count)


class Entries:
    """What the branches of a range of entries say.

    Args:
        path, spec, findings: the file, what it means, and where things noticed are counted.
        arrays: the branches, awkward arrays of `n_entry` entries.
        start: the first entry.
    """

    def __init__(
        self, path: Path, spec: Spec, arrays: Mapping[str, Any], start: int, n_entry: int, findings: Findings
    ) -> None:
        self.path, self.spec, self.arrays, self.start, self.n_entry, self.findings = (
            path,
            spec,
            arrays,
            start,
            n_entry,
            findings,
        )
        self.bad = np.zeros(n_entry, dtype=bool)
        self._lists: Known = []
        self.rows = GraphPlaces.of_entries(n_entry)
        if spec.graph_per is not None:
            count = flat(arrays[spec.graph_per], self.place(spec.graph_per))[1]
            if count is None:
                raise InputError(
                    f"{path}: graph_per needs a list per entry, but the branch {spec.graph_per} has one number each."
                )
            self.rows = GraphPlaces.of_lists(count)

    def place(self, branch: str, count: Integers | None = None) -> BranchLocation:
        """Where a branch's numbers come from, for messages."""
        return BranchLocation(self.path, branch, self.start, count)

    def raw(self, value: Value, names: Mapping[str, Any] | None = None) -> Any:
        """A value as it stands, or computed: an array of `n_entry` entries (of rows where `names` are given by rows)."""
        if value.branch is not None:
            array = self.arrays[value.branch]
        else:
            among = self.arrays if names is None else names
            expression = parse(str(value.expression), where=str(self.path))
            n, start = (self.n_entry, self.start) if names is None else (len(self.rows), 0)
            array = expression.evaluate({name: among[name] for name in expression.names}, n, start=start)
        return array if value.item is None else self._item(array, value)

    def numbers(
        self, value: Value, factor: float = 1.0, *, array: Any = None, real: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[Any], BranchLocation]:
        """Finite numbers in file order, times `factor`, and where they come from, with a count per entry where they are lists.

        What is not finite stops, marks the entry as bad, or is filled, as the spec says; padding (where `real` is False) is 0.
        """
        numbers, count = flat(self.raw(value) if array is None else array, self.place(value.text), self._lists)
        if real is not None and len(real) == len(numbers):
            numbers = np.where(real, numbers, 0)
        return self.clean(numbers, self.place(value.text, count), value, factor)

    def clean(
        self, numbers: NDArray[Any], place: BranchLocation, value: Value, factor: float
    ) -> tuple[NDArray[Any], BranchLocation]:
        """The numbers with the spec's policies for missing and infinite ones, the unit and the working point applied."""
        if value.missing:
            self._fill(numbers := numbers.copy(), np.isin(numbers, value.missing), place)
        bad = infinite(numbers)
        if bad is not None:
            self.findings.see_bad(place.branch, numbers, bad)
            if self.spec.on_nan == "stop":
                advice = (
                    "Remove those entries, leave the branch out of the spec, or say `on_nan: drop` or `fill` there."
                )
                place.refuse(bad, "NaN or infinity", numbers, advice)
            if self.spec.on_nan == "drop":
                self.bad[place.entries(bad)] = True
            self._fill(numbers := numbers.copy(), bad, place)
        if value not in self.spec.id:  # an id may have any value
            self.findings.see_raw(place.branch, numbers)
        if value.above is not None:
            return (numbers > value.above).astype(np.float32), place
        if factor != 1.0:
            numbers = numbers.astype(np.float64) * factor
        return numbers, place

    def per_row(self, value: Value, names: Mapping[str, Any], dtype: Any = np.float64) -> NDArray[Any]:
        """One number per graph: of the entry, or of the graph's own place in the list that makes the graphs.

        `names` are what an expression may read beside branches, by rows: `<collection>_<feature>` of the records.
        """
        return _as(self._per_row(value, names), dtype)

    def weights(self, values: Iterable[Value], names: Mapping[str, Any]) -> tuple[NDArray[np.float64], float]:
        """The product of values for each graph, `(n_row,)`, and its sum over entries, those without any graph too.

        Where a value is one of the graph and not of the entry, the sum is that over graphs.
        """
        of_row, of_entry = np.ones(len(self.rows)), np.ones(self.n_entry)
        is_of_entry = True
        for value in values:
            numbers, is_by_entry = self._numbers_of(value, names)
            of_row *= _as(self._spread(numbers) if is_by_entry else numbers, np.float64)
            is_of_entry = is_of_entry and is_by_entry
            if is_of_entry:
                of_entry *= _as(numbers, np.float64)
        return of_row, float((of_entry if is_of_entry else of_row).sum())

    def holds_per_row(self, value: Value, names: Mapping[str, Any]) -> NDArray[np.bool_]:
        """The same for a condition: true or false of an expression, or a branch that is not 0; raises InputError at other expressions."""
        numbers = self._per_row(value, names)
        if value.branch is None and value.above is None and numbers.dtype.kind != "b":
            raise InputError(
                f"{self.path}: `{value.text}` is a number per graph; a condition was expected, true or false: compare it, for example "
                f"with `!= 0`."
            )
        return np.asarray(numbers != 0)

    def whole_per_row(self, value: Value) -> Integers:
        """The same for whole numbers, int64."""
        numbers = self._per_row(value, {})
        return whole(numbers, BranchLocation(self.path, value.text, self.start, self.rows.count))

    def _per_row(self, value: Value, names: Mapping[str, Any]) -> NDArray[Any]:
        numbers, is_by_entry = self._numbers_of(value, names)
        return self._spread(numbers) if is_by_entry else numbers

    def _spread(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Numbers of entries as numbers of their graphs."""
        return numbers if self.rows.count is None else numbers[self.rows.entry]

    def _numbers_of(self, value: Value, names: Mapping[str, Any]) -> tuple[NDArray[Any], bool]:
        """One number per graph or per entry, and whether it is per entry."""
        own = [name for name in value.reads if name in names] if value.branch is None else []
        if own:
            needed = {name: names[name] if name in names else self._by_row(name) for name in value.reads}
            numbers, count = flat(self.raw(value, needed), self.place(value.text))
            if count is not None:
                raise InputError(
                    f"{self.path}: `{value.text}` is a list per graph; one number was expected, so reduce it: sum, count, any, first."
                )
            cleaned = self.clean(
                numbers, BranchLocation(self.path, value.text, self.start, self.rows.count), value, _unit(value)
            )[0]
            return cleaned, self.rows.count is None
        numbers, place = self.numbers(value, _unit(value))
        if place.count is None:
            return numbers, True
        self._same_as_rows(place)
        return numbers, False

    def _by_row(self, branch: str) -> Any:
        array = self.arrays[branch]
        if self.rows.count is None:
            return array
        numbers, count = flat(array, self.place(branch))
        if count is None:
            return self._spread(numbers)
        self._same_as_rows(self.place(branch, count))
        return numbers

    def _same_as_rows(self, place: BranchLocation) -> None:
        """Raises InputError where a list has not one value per graph."""
        if self.rows.count is None:
            raise InputError(
                f"{self.path}: {place.branch} is a list per entry; one number was expected. Take one with `item`, reduce it in an "
                f"expression (sum, count, max, first), or make every value a graph with `graph_per`."
            )
        same_counts(place, self.rows.count, str(self.spec.graph_per))

    def _fill(self, numbers: NDArray[Any], chosen: NDArray[np.bool_], place: BranchLocation) -> None:
        if chosen.any():
            numbers[chosen] = self.spec.fill
            self.findings.filled[place.branch] += int(np.count_nonzero(chosen))

    def _item(self, array: Any, value: Value) -> Any:
        """The `item`-th of the innermost lists; raises InputError naming the entry where one is too short."""
        place, item = self.place(value.text), int(value.item or 0)
        array = ak.Array(array)
        if array.ndim < 2:
            raise InputError(f"{self.path}: branch {value.text} has the type {array.type}; item {item} needs lists.")
        length = ak.num(array, axis=-1)
        needed = item + 1 if item >= 0 else -item
        sizes = ak.to_numpy(length if array.ndim == 2 else ak.min(length, axis=-1, mask_identity=False, initial=needed))
        advice = "Mark the collection's objects, or take another item."
        place.refuse(sizes < needed, f"a list too short for item {item}, of length", sizes, advice)
        return array[..., item]


def same_counts(place: BranchLocation, expected: Integers, other: str) -> None:
    """Raises InputError where a branch has not as many values per entry as another of its collection."""
    if place.count is None or place.count is expected or np.array_equal(place.count, expected):
        return
    differ = place.count != expected
    entry = int(np.argmax(differ))
    raise InputError(
        f"{place.path}: the branches {other} and {place.branch} belong to one collection, but entry {place.start + entry} has "
        f"{expected[entry]} and {place.count[entry]} values ({int(differ.sum()):,} such entries). The file is damaged, or the spec mixes "
        f"collections."
    )


def _as(numbers: NDArray[Any], dtype: Any) -> NDArray[Any]:
    if numbers.dtype.kind in "iu" and numbers.dtype.itemsize == 8:  # so that large ones are rounded as they always were
        numbers = numbers.astype(np.float64)
    return numbers.astype(dtype, copy=False)


def _unit(value: Value) -> float:
    return UNITS[value.unit or "none"]
