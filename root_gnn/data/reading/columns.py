"""A branch as a flat NumPy array with a count per entry, and checks that name file, branch and entry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.errors import InputError
from root_gnn.typing import AnyFloats, Integers

PHI_LIMIT = 2.0 * math.pi + 1e-3  # radians; [-pi, pi] and [0, 2 pi] are both in use, degrees are not radians
ROWS_AT_A_TIME = 2**14  # so many rows stay in the processor's cache while columns are copied one by one
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class BranchLocation:
    """The origin of numbers, for messages: file, branch, first entry, and `count (n_entry,)` where they are lists."""

    path: Path
    branch: str
    start: int
    count: Integers | None = None

    def refuse(self, bad: NDArray[np.bool_], what: str, values: NDArray[Any], advice: str) -> None:
        """Raises InputError naming the first bad value and their number if `bad (n_value,)` is true anywhere."""
        n_bad = int(np.count_nonzero(bad))
        if not n_bad:
            return
        first = int(np.argmax(bad))
        raise InputError(
            f"{self.path}: branch {self.branch} has {what} ({values[first]}) in entry "
            f"{self.start + int(self.entries(bad)[0])}, {n_bad:,} of the {bad.size:,} values read with it. {advice}"
        )

    def entries(self, chosen: NDArray[np.bool_]) -> Integers:
        """The entry, from 0, of each chosen value, `(n_chosen,)`."""
        indices = np.flatnonzero(chosen)
        return indices if self.count is None else np.searchsorted(np.cumsum(self.count), indices, side="right")


@dataclass(frozen=True)
class Columns:
    """Features `(n_object,)` by name, and how many objects each graph has, `count (n_graph,)`; None for one each."""

    features: dict[str, NDArray[Any]]
    count: Integers | None

    def select(self, keep: NDArray[np.bool_]) -> Columns:
        """The objects where `keep (n_object,)` is true."""
        if self.count is None or keep.all():
            return self
        owner = np.repeat(np.arange(len(self.count), dtype=np.int64), self.count)[keep]
        return Columns(
            {name: column[keep] for name, column in self.features.items()},
            np.bincount(owner, minlength=len(self.count)),
        )

    def select_graphs(self, keep: NDArray[np.bool_]) -> Columns:
        """The objects of the graphs where `keep (n_graph,)` is true."""
        chosen = keep if self.count is None else np.repeat(keep, self.count)
        return Columns(
            {name: column[chosen] for name, column in self.features.items()},
            None if self.count is None else self.count[keep],
        )

    def by_graph(self, content: ak.contents.Content) -> ak.contents.Content:
        """Content of length `n_object` as one list per graph; unchanged where each graph has one object."""
        if self.count is None:
            return content
        offsets = np.concatenate([[0], np.cumsum(self.count)]).astype(np.int64)
        return ak.contents.ListOffsetArray(ak.index.Index64(offsets), content)


def fill_columns(columns: Sequence[NDArray[Any] | float], rows: NDArray[Any]) -> NDArray[Any]:
    """Copies columns `(n,)`, or one number for a whole column, into `rows (n, n_column)`, and returns `rows`."""
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        stop = start + ROWS_AT_A_TIME
        for index, column in enumerate(columns):
            rows[start:stop, index] = column[start:stop] if isinstance(column, np.ndarray) else column
    return rows


CountCache = list[tuple[NDArray[np.int64], Integers]]
"""Pairs of the offsets of lists and the counts that follow from them."""


def flat(array: Any, location: BranchLocation, known: CountCache | None = None) -> tuple[NDArray[Any], Integers | None]:
    """The numbers of a branch in file order, and how many each entry has, `(n_entry,)`; None for one each.

    Branches with equal offsets share one array of counts through `known`, so that the counts of a collection are
    computed and compared once. Raises InputError unless each entry has a number or a list of numbers.
    """
    layout = array.layout if isinstance(array, ak.Array) else ak.to_layout(array)
    if layout.is_indexed:
        layout = layout.project()
    count = None
    try:
        if layout.is_list:
            starts = layout.to_ListOffsetArray64(True)
            count, layout = _counts(np.asarray(starts.offsets), known), starts.content[: int(starts.offsets[-1])]
            layout = layout.project() if layout.is_indexed else layout
        numbers = ak.to_numpy(layout, allow_missing=False) if layout.purelist_depth == 1 else None
    except (ValueError, TypeError):
        numbers = None
    if numbers is None or numbers.dtype.kind not in "biuf" or layout.parameter("__array__") in ("char", "string"):
        raise InputError(
            f"{location.path}: branch {location.branch} has the type {ak.type(array)}; a number, or a list of numbers, "
            "per entry was expected."
        )
    return numbers, count


def _counts(offsets: NDArray[np.int64], known: CountCache | None) -> Integers:
    for known_offsets, count in known or ():
        if np.array_equal(known_offsets, offsets):
            return count
    count = np.diff(offsets)
    if known is not None:
        known.append((offsets, count))
    return count


def nonfinite(numbers: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Marks numbers that are NaN, infinite or beyond float32, `(n,)`; None if there are none."""
    if numbers.dtype.kind != "f":
        return None
    # LARGEST as a half-precision number would be infinity itself
    bad = ~np.isfinite(numbers) if numbers.dtype.itemsize <= 4 else ~(np.abs(numbers) <= LARGEST)
    return bad if bad.any() else None


def equals_any(numbers: NDArray[Any], constants: Sequence[float], *, computed: bool = False) -> NDArray[np.bool_]:
    """Whether each number is one of the constants, which are rounded as the file rounds: -999.9 is that of float32.

    Where the numbers are `computed` in double precision, the constants in single precision count as well.
    """
    if numbers.dtype.kind != "f":
        limits = np.iinfo(numbers.dtype) if numbers.dtype.kind in "iu" else np.iinfo(np.int8)
        exact = [int(each) for each in constants if float(each).is_integer() and limits.min <= each <= limits.max]
        return np.isin(numbers, np.array(exact, dtype=numbers.dtype))
    types = {numbers.dtype, np.dtype(np.float32)} if computed else {numbers.dtype}
    with np.errstate(over="ignore"):  # a constant beyond the type equals none of its numbers
        rounded = [np.asarray(constants, dtype=np.float64).astype(each) for each in types]
    return np.isin(numbers, np.concatenate([each[np.isfinite(each)].astype(numbers.dtype) for each in rounded]))


def replaced(numbers: NDArray[Any], chosen: NDArray[np.bool_], fill: float) -> NDArray[Any]:
    """A copy with `fill` where `chosen (n,)` is true, in a type that holds it."""
    if numbers.dtype.kind == "f":
        holds = numbers.dtype.itemsize >= 4
    else:
        limits = np.iinfo(numbers.dtype) if numbers.dtype.kind in "iu" else None
        holds = limits is not None and float(fill).is_integer() and limits.min <= fill <= limits.max
    numbers = numbers.copy() if holds else numbers.astype(np.float64)
    numbers[chosen] = fill
    return numbers


def whole(numbers: NDArray[Any], location: BranchLocation, *, precision: int = 53) -> Integers:
    """Whole numbers as int64; unsigned 64-bit ones keep their bits.

    Raises InputError at a number that is not whole, or that is too large to be exact: in floating point all whole
    numbers are exact below 2 to the power of the significant bits, `precision` of them or what the type has.
    """
    if numbers.dtype.kind == "f":
        precision = min(precision, np.finfo(numbers.dtype).nmant + 1)
        name = {11: "half", 24: "single", 53: "double"}.get(precision, "floating")
        advice = "An id or a class has to be stored as an integer."
        location.refuse(~(np.floor(numbers) == numbers), "no whole number", numbers, advice)
        location.refuse(
            np.abs(numbers) >= 2.0**precision,
            f"a number too large to be exact in {name} precision",
            numbers,
            f"From 2^{precision} on, different whole numbers are stored as the same one. {advice}",
        )
    if numbers.dtype == np.uint64:
        return numbers.view(np.int64)
    return numbers.astype(np.int64)


def check_momentum(name: str, values: AnyFloats, location: BranchLocation) -> None:
    """Raises InputError at a negative pt or energy, or a phi outside [-2 pi, 2 pi]."""
    if not values.size:
        return
    if name in ("pt", "energy") and values.min() < 0:
        location.refuse(
            values < 0, f"a negative {name}", values, "Correct the file, or name the right branch in the spec."
        )
    elif name == "phi" and max(values.max(), -values.min()) > PHI_LIMIT:
        location.refuse(
            np.abs(values) > PHI_LIMIT,
            "a phi outside [-2 pi, 2 pi]",
            values,
            "If it is in degrees, say `unit: deg` in the spec.",
        )
