"""One branch as a flat NumPy array with a count per entry, checked; errors name file, branch and entry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.errors import InputError

PHI_LIMIT = 2.0 * math.pi + 1e-3  # radians; [-pi, pi] and [0, 2 pi] are both in use, degrees are not radians
LARGEST = float(np.finfo(np.float32).max)

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Place:
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
            f"{n_bad:,} of {bad.size:,} values in the entries {self.start} and following. {advice}"
        )

    def entries(self, chosen: NDArray[np.bool_]) -> Integers:
        """The entries, from 0, of the chosen values; an entry as often as it has some."""
        places = np.flatnonzero(chosen)
        return places if self.count is None else np.searchsorted(np.cumsum(self.count), places, side="right")


def flat(array: Any, place: Place) -> tuple[NDArray[Any], Integers | None]:
    """Numbers of a branch in file order, and how many each entry has (None where it has one each).

    Raises InputError where the branch is no number, nor a list of numbers, per entry.
    """
    layout = array.layout if isinstance(array, ak.Array) else ak.to_layout(array)
    if layout.is_indexed:
        layout = layout.project()
    count = None
    try:
        if layout.is_list:
            starts = layout.to_ListOffsetArray64(True)
            count, layout = np.diff(np.asarray(starts.offsets)), starts.content[: int(starts.offsets[-1])]
            layout = layout.project() if layout.is_indexed else layout
        numbers = ak.to_numpy(layout, allow_missing=False) if layout.purelist_depth == 1 else None
    except (ValueError, TypeError):
        numbers = None
    if numbers is None or numbers.dtype.kind not in "biuf" or layout.parameter("__array__") in ("char", "string"):
        raise InputError(
            f"{place.path}: branch {place.branch} has the type {ak.type(array)}; a number, or a list of numbers, per entry was expected."
        )
    return numbers, count


def infinite(numbers: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where numbers are NaN, infinite or beyond float32; None where all is well."""
    if numbers.dtype.kind != "f":
        return None
    if numbers.dtype == np.float32:
        bad = ~np.isfinite(numbers)
    else:
        bad = ~(np.abs(numbers) <= LARGEST)
    return bad if bad.any() else None


def whole(numbers: NDArray[Any], place: Place) -> Integers:
    """Integers as int64 (unsigned 64-bit ones keep their bits); raises InputError where they are no whole numbers."""
    if numbers.dtype.kind == "f":
        place.refuse(~(np.floor(numbers) == numbers), "no whole number", numbers, "An id or a class has to be an integer.")
        place.refuse(np.abs(numbers) > 2.0**53, "a number too large to be exact", numbers, "An id or a class has to be stored as an integer.")
    if numbers.dtype == np.uint64:
        return numbers.view(np.int64)
    return numbers.astype(np.int64)


def check_momentum(name: str, values: Floats, place: Place) -> None:
    """Raises InputError at a negative pt or energy, or a phi that is no angle in radians."""
    if not values.size:
        return
    if name in ("pt", "energy") and values.min() < 0:
        place.refuse(values < 0, f"a negative {name}", values, "Correct the file, or name the right branch in the spec.")
    elif name == "phi" and max(values.max(), -values.min()) > PHI_LIMIT:
        place.refuse(
            np.abs(values) > PHI_LIMIT, "a phi outside [-2 pi, 2 pi]", values, "If it is in degrees, say `unit: deg` in the spec."
        )
