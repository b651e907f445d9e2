"""One branch as a flat NumPy array with a count per entry, checked; errors name file, branch and entry."""

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
ROWS_AT_A_TIME = 2**14  # that many rows stay in the cache while one column after the other is put in
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class BranchLocation:
    """Where numbers came from, for messages."""

    path: Path
    branch: str
    start: int
    count: Integers | None = None

    def refuse(self, bad: NDArray[np.bool_], what: str, values: NDArray[Any], advice: str) -> None:
        """Raises InputError naming the first offender and how many there are, where `bad` holds anywhere."""
        n_bad = int(np.count_nonzero(bad))
        if not n_bad:
            return
        first = int(np.argmax(bad))
        raise InputError(
            f"{self.path}: branch {self.branch} has {what} ({values[first]}) in entry {self.start + int(self.entries(bad)[0])}, "
            f"{n_bad:,} of the {bad.size:,} values read with it. {advice}"
        )

    def entries(self, chosen: NDArray[np.bool_]) -> Integers:
        """The entries, from 0, of the chosen values; an entry as often as it has some."""
        places = np.flatnonzero(chosen)
        return places if self.count is None else np.searchsorted(np.cumsum(self.count), places, side="right")


@dataclass(frozen=True)
class Columns:
    """Features `(n_object,)` by name, and `count (n_graph,)` of each graph's objects; None where each graph has one."""

    features: dict[str, NDArray[Any]]
    count: Integers | None

    def kept(self, keep: NDArray[np.bool_]) -> Columns:
        """The objects where `keep (n_object,)` holds."""
        if self.count is None or keep.all():
            return self
        owner = np.repeat(np.arange(len(self.count), dtype=np.int64), self.count)[keep]
        return Columns(
            {name: column[keep] for name, column in self.features.items()},
            np.bincount(owner, minlength=len(self.count)),
        )

    def of_graphs(self, keep: NDArray[np.bool_]) -> Columns:
        """The objects of the graphs where `keep (n_graph,)` holds."""
        chosen = keep if self.count is None else np.repeat(keep, self.count)
        return Columns(
            {name: column[chosen] for name, column in self.features.items()},
            None if self.count is None else self.count[keep],
        )

    def by_graph(self, content: ak.contents.Content) -> ak.contents.Content:
        """Anything of `n_object` as lists, one per graph; as it is where each graph has one object."""
        if self.count is None:
            return content
        offsets = np.concatenate([[0], np.cumsum(self.count)]).astype(np.int64)
        return ak.contents.ListOffsetArray(ak.index.Index64(offsets), content)


def side_by_side(columns: Sequence[NDArray[Any] | float], rows: NDArray[Any]) -> NDArray[Any]:
    """Columns `(n,)`, or a number for a whole one, put into the `rows (n, n_column)`, which are returned."""
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        stop = start + ROWS_AT_A_TIME
        for place, column in enumerate(columns):
            rows[start:stop, place] = column[start:stop] if isinstance(column, np.ndarray) else column
    return rows


Known = list[tuple[NDArray[np.int64], Integers]]
"""Offsets of lists met so far and the counts that follow from them."""


def flat(array: Any, place: BranchLocation, known: Known | None = None) -> tuple[NDArray[Any], Integers | None]:
    """Numbers of a branch in file order, and how many each entry has (None where it has one each).

    Lists with the offsets of `known` ones share their counts, so that those of a collection are made and compared once.
    Raises InputError where the branch is no number, nor a list of numbers, per entry.
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
            f"{place.path}: branch {place.branch} has the type {ak.type(array)}; a number, or a list of numbers, per entry was expected."
        )
    return numbers, count


def _counts(offsets: NDArray[np.int64], known: Known | None) -> Integers:
    for seen, count in known or ():
        if np.array_equal(seen, offsets):
            return count
    made = np.diff(offsets)
    if known is not None:
        known.append((offsets, made))
    return made


def infinite(numbers: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where numbers are NaN, infinite or beyond float32; None where all is well."""
    if numbers.dtype.kind != "f":
        return None
    bad = ~np.isfinite(numbers) if numbers.dtype == np.float32 else ~(np.abs(numbers) <= LARGEST)
    return bad if bad.any() else None


def whole(numbers: NDArray[Any], place: BranchLocation) -> Integers:
    """Integers as int64 (unsigned 64-bit ones keep their bits); raises InputError where they are no whole numbers."""
    if numbers.dtype.kind == "f":
        advice = "An id or a class has to be stored as an integer."
        place.refuse(~(np.floor(numbers) == numbers), "no whole number", numbers, advice)
        place.refuse(np.abs(numbers) > 2.0**53, "a number too large to be exact", numbers, advice)
    if numbers.dtype == np.uint64:
        return numbers.view(np.int64)
    return numbers.astype(np.int64)


def check_momentum(name: str, values: AnyFloats, place: BranchLocation) -> None:
    """Raises InputError at a negative pt or energy, or a phi that is no angle in radians."""
    if not values.size:
        return
    if name in ("pt", "energy") and values.min() < 0:
        place.refuse(
            values < 0, f"a negative {name}", values, "Correct the file, or name the right branch in the spec."
        )
    elif name == "phi" and max(values.max(), -values.min()) > PHI_LIMIT:
        place.refuse(
            np.abs(values) > PHI_LIMIT,
            "a phi outside [-2 pi, 2 pi]",
            values,
            "If it is in degrees, say `unit: deg` in the spec.",
        )
