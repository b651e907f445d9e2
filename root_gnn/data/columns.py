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
        entry = first if self.count is None else int(np.searchsorted(np.cumsum(self.count), first, side="right"))
        raise InputError(
            f"{self.path}: branch {self.branch} has {what} ({values[first]}) in entry {self.start + entry}, "
            f"{n_bad:,} of {bad.size:,} values in the entries {self.start} and following. {advice}"
        )


def flat(array: Any, place: Place, *, jagged: bool) -> tuple[NDArray[Any], Integers | None]:
    """Numbers of a branch in file order, and how many each entry has (None where `jagged` is False: one each).

    Raises InputError where the branch has another shape or holds no numbers.
    """
    wanted = "a list of numbers per entry" if jagged else "one number per entry"
    if array.ndim != (2 if jagged else 1) or array.fields:
        raise InputError(f"{place.path}: branch {place.branch} has the type {array.type}; {wanted} was expected.")
    count = ak.to_numpy(ak.num(array, axis=1)).astype(np.int64) if jagged else None
    try:
        numbers = ak.to_numpy(ak.flatten(array, axis=1) if jagged else array, allow_missing=False)
    except (ValueError, TypeError) as error:
        raise InputError(f"{place.path}: branch {place.branch} has the type {array.type}; {wanted} was expected.") from error
    if numbers.dtype.kind not in "biuf":
        raise InputError(f"{place.path}: branch {place.branch} holds {numbers.dtype}, {wanted} was expected.")
    return numbers, count


def finite(numbers: NDArray[Any], place: Place) -> Floats:
    """The numbers as float64; raises InputError at NaN or infinity."""
    if numbers.dtype.kind == "f":
        place.refuse(~np.isfinite(numbers), "NaN or infinity", numbers, "Remove those entries, or leave the branch out of the spec.")
    return numbers.astype(np.float64)


def whole(numbers: NDArray[Any], place: Place) -> Integers:
    """Integers as int64 (unsigned 64-bit ones keep their bits); raises InputError where they are no whole numbers."""
    if numbers.dtype.kind == "f":
        place.refuse(~(np.floor(numbers) == numbers), "no whole number", numbers, "An id or a class has to be an integer.")
    if numbers.dtype == np.uint64:
        return numbers.view(np.int64)
    return numbers.astype(np.int64)


def check_momentum(name: str, values: Floats, place: Place) -> None:
    """Raises InputError at a negative pt, mass-less nonsense excluded, or a phi that is no angle in radians."""
    if name in ("pt", "energy"):
        place.refuse(values < 0, f"a negative {name}", values, "Correct the file, or name the right branch in the spec.")
    elif name == "phi":
        place.refuse(np.abs(values) > PHI_LIMIT, "a phi outside [-2 pi, 2 pi]", values, "If it is in degrees, say `unit: deg` in the spec.")
