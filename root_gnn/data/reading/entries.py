"""The branches of a range of entries as checked numbers in GeV and radians, and the graphs those entries hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.data.reading.columns import BranchLocation, CountCache, equals_any, flat, nonfinite, replaced, whole
from root_gnn.data.reading.findings import Findings
from root_gnn.data.spec.spec import Spec
from root_gnn.data.spec.value import UNITS, Value
from root_gnn.errors import InputError
from root_gnn.expressions.expression import parse
from root_gnn.typing import Integers


@dataclass(frozen=True)
class GraphRows:
    """The graphs of a range of entries, one row each.

    Attributes:
        entry: `(n_row,)`, the entry of each graph, from 0 in the range.
        object: `(n_row,)`, the index of the graph in the list of its entry.
        count: `(n_entry,)`, graphs per entry; None where every entry is one graph.
    """

    entry: Integers
    object: Integers
    count: Integers | None = None

    def __len__(self) -> int:
        return len(self.entry)

    @classmethod
    def of_entries(cls, n_entry: int) -> GraphRows:
        """One graph per entry."""
        return cls(np.arange(n_entry, dtype=np.int64), np.zeros(n_entry, dtype=np.int64))

    @classmethod
    def of_lists(cls, count: Integers) -> GraphRows:
        """One graph for each value of a list per entry, `count (n_entry,)`."""
        entry = np.repeat(np.arange(len(count), dtype=np.int64), count)
        return cls(entry, np.arange(len(entry), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count), count)


class Entries:
    """The branches of a range of entries, from which values of the spec are computed.

    Args:
        path: the file, for messages.
        spec: the data spec.
        arrays: the branches by name, awkward arrays of `n_entry` entries.
        start: the index of the first entry in the file.
        n_entry: how many entries there are.
        findings: where anomalies are counted.

    Raises InputError where the branch `graph_per` of the spec is no list.
    """

    def __init__(
        self, path: Path, spec: Spec, arrays: Mapping[str, Any], start: int, n_entry: int, findings: Findings
    ) -> None:
        self.path, self.spec, self.findings = path, spec, findings
        self.arrays, self.start, self.n_entry = arrays, start, n_entry
        self.bad = np.zeros(n_entry, dtype=bool)
        self._lists: CountCache = []
        self.rows = GraphRows.of_entries(n_entry)
        if spec.graph_per is not None:
            count = flat(arrays[spec.graph_per], self.location(spec.graph_per))[1]
            if count is None:
                raise InputError(
                    f"{path}: graph_per needs a list per entry, but the branch {spec.graph_per} has one number each."
                )
            self.rows = GraphRows.of_lists(count)

    def location(self, branch: str, count: Integers | None = None) -> BranchLocation:
        """The origin of a branch's numbers, for messages; `count (n_entry,)` numbers per entry, None for one each."""
        return BranchLocation(self.path, branch, self.start, count)

    def raw(self, value: Value, names: Mapping[str, Any] | None = None) -> Any:
        """A value as the file holds it, or the result of its expression, before any check.

        An array of `n_entry` entries; of graphs where `names` has what the expression reads, one item per graph.
        """
        if value.branch is not None:
            array = self.arrays[value.branch]
        else:
            variables = self.arrays if names is None else names
            expression = parse(str(value.expression), where=str(self.path))
            n, start = (self.n_entry, self.start) if names is None else (len(self.rows), 0)
            array = expression.evaluate({name: variables[name] for name in expression.names}, n, start=start)
        return array if value.item is None else self._item(array, value)

    def numbers(
        self, value: Value, factor: float = 1.0, *, array: Any = None, real: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[Any], BranchLocation]:
        """Finite numbers in file order, times `factor`, and their location, whose count is None for one per entry.

        Depending on the spec, a number that is not finite raises InputError, marks the entry as bad, or is filled.
        Padding, where `real (n_number,)` is False, becomes 0. `array` replaces the value's own array.
        """
        numbers, count = flat(self.raw(value) if array is None else array, self.location(value.text), self._lists)
        if real is not None and len(real) == len(numbers):
            numbers = np.where(real, numbers, 0)
        return self.clean(numbers, self.location(value.text, count), value, factor)

    def clean(
        self, numbers: NDArray[Any], location: BranchLocation, value: Value, factor: float
    ) -> tuple[NDArray[Any], BranchLocation]:
        """Applies the spec's policies for missing and infinite numbers, then the unit or the threshold `above`."""
        if value.missing:
            computed = value.branch is None
            numbers = self._filled(numbers, equals_any(numbers, value.missing, computed=computed), location)
        bad = nonfinite(numbers)
        if bad is not None:
            self.findings.add_nonfinite(location.branch, numbers, bad)
            if self.spec.on_nan == "stop":
                advice = (
                    "Remove those entries, leave the branch out of the spec, or say `on_nan: drop` or `fill` there."
                )
                location.refuse(bad, "NaN or infinity", numbers, advice)
            if self.spec.on_nan == "drop":
                self.bad[location.entries(bad)] = True
            numbers = self._filled(numbers, bad, location)
        if value not in self.spec.id:  # an id may have any value
            self.findings.add_sentinels(location.branch, numbers)
        if value.above is not None:
            return (numbers > value.above).astype(np.float32), location
        if factor != 1.0:
            numbers = numbers.astype(np.float64) * factor
        return numbers, location

    def per_row(self, value: Value, names: Mapping[str, Any], dtype: Any = np.float64) -> NDArray[Any]:
        """One number per graph, `(n_row,)`: that of its entry, or its own one of the list whose values are the graphs.

        `names` are further variables of expressions, `<collection>_<feature>`, with one item per graph.
        """
        return _as(self._per_row(value, names), dtype)

    def weights(self, values: Iterable[Value], names: Mapping[str, Any]) -> tuple[NDArray[np.float64], float]:
        """The product of the values for each graph, `(n_row,)`, and its sum over all entries, with or without a graph.

        Where a value differs between graphs of an entry, the sum runs over graphs instead.
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
        """Whether a condition holds for each graph, bool `(n_row,)`: an expression, or a branch that is not 0.

        Raises InputError where the expression gives numbers.
        """
        numbers = self._per_row(value, names)
        if value.branch is None and value.above is None and numbers.dtype.kind != "b":
            raise InputError(
                f"{self.path}: `{value.text}` is a number per graph; a condition was expected, true or false: compare "
                "it, for example with `!= 0`."
            )
        return np.asarray(numbers != 0)

    def whole_per_row(self, value: Value) -> Integers:
        """One integer per graph, int64 `(n_row,)`; raises InputError where the numbers are no integers."""
        numbers = self._per_row(value, {})
        location = BranchLocation(self.path, value.text, self.start, self.rows.count)
        return whole(numbers, location, precision=min(map(self._precision, value.reads), default=53))

    def _precision(self, branch: str) -> int:
        """The significant bits of a branch's floating-point numbers; 64 where it holds others."""
        form = str(ak.type(self.arrays[branch]))
        return next((bits for name, bits in (("float16", 11), ("float32", 24)) if form.endswith(name)), 64)

    def _per_row(self, value: Value, names: Mapping[str, Any]) -> NDArray[Any]:
        numbers, is_by_entry = self._numbers_of(value, names)
        return self._spread(numbers) if is_by_entry else numbers

    def _spread(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Repeats a number per entry for each graph of the entry."""
        return numbers if self.rows.count is None else numbers[self.rows.entry]

    def _numbers_of(self, value: Value, names: Mapping[str, Any]) -> tuple[NDArray[Any], bool]:
        """One number per graph or per entry, and whether it is per entry."""
        own = [name for name in value.reads if name in names] if value.branch is None else []
        if own:
            needed = {name: names[name] if name in names else self._by_row(name) for name in value.reads}
            numbers, count = flat(self.raw(value, needed), self.location(value.text))
            if count is not None:
                raise InputError(
                    f"{self.path}: `{value.text}` is a list per graph; one number was expected, so reduce it: sum, "
                    "count, any, first."
                )
            cleaned = self.clean(
                numbers, BranchLocation(self.path, value.text, self.start, self.rows.count), value, _unit(value)
            )[0]
            return cleaned, self.rows.count is None
        numbers, location = self.numbers(value, _unit(value))
        if location.count is None:
            return numbers, True
        self._same_as_rows(location)
        return numbers, False

    def _by_row(self, branch: str) -> Any:
        array = self.arrays[branch]
        if self.rows.count is None:
            return array
        numbers, count = flat(array, self.location(branch))
        if count is None:
            return self._spread(numbers)
        self._same_as_rows(self.location(branch, count))
        return numbers

    def _same_as_rows(self, location: BranchLocation) -> None:
        """Raises InputError unless a list has one value per graph."""
        if self.rows.count is None:
            raise InputError(
                f"{self.path}: {location.branch} is a list per entry; one number was expected. Take one with `item`, "
                "reduce it in an expression (sum, count, max, first), or make every value a graph with `graph_per`."
            )
        same_counts(location, self.rows.count, str(self.spec.graph_per))

    def _filled(self, numbers: NDArray[Any], chosen: NDArray[np.bool_], location: BranchLocation) -> NDArray[Any]:
        """The numbers with the spec's `fill` where `chosen (n_number,)` is true."""
        if not chosen.any():
            return numbers
        self.findings.filled[location.branch] += int(np.count_nonzero(chosen))
        return replaced(numbers, chosen, self.spec.fill)

    def _item(self, array: Any, value: Value) -> Any:
        """The `item`-th value of each innermost list.

        Raises InputError naming the entry of a list that is too short.
        """
        location, item = self.location(value.text), int(value.item or 0)
        array = ak.Array(array)
        if array.ndim < 2:
            raise InputError(f"{self.path}: branch {value.text} has the type {array.type}; item {item} needs lists.")
        length = ak.num(array, axis=-1)
        needed = item + 1 if item >= 0 else -item
        sizes = ak.to_numpy(length if array.ndim == 2 else ak.min(length, axis=-1, mask_identity=False, initial=needed))
        advice = "Mark the collection's objects, or take another item."
        location.refuse(sizes < needed, f"a list too short for item {item}, of length", sizes, advice)
        return array[..., item]


def same_counts(location: BranchLocation, expected: Integers, other: str) -> None:
    """Raises InputError unless a branch has as many values per entry as the branch `other`, `expected (n_entry,)`."""
    if location.count is None or location.count is expected or np.array_equal(location.count, expected):
        return
    differ = location.count != expected
    entry = int(np.argmax(differ))
    raise InputError(
        f"{location.path}: the branches {other} and {location.branch} belong to one collection, but entry "
        f"{location.start + entry} has {expected[entry]} and {location.count[entry]} values ({int(differ.sum()):,} "
        "such entries). The file is damaged, or the spec mixes collections."
    )


def _as(numbers: NDArray[Any], dtype: Any) -> NDArray[Any]:
    # 64-bit integers are rounded to float64 before they are cast to `dtype`
    if numbers.dtype.kind in "iu" and numbers.dtype.itemsize == 8:
        numbers = numbers.astype(np.float64)
    return numbers.astype(dtype, copy=False)


def _unit(value: Value) -> float:
    return UNITS[value.unit or "none"]
