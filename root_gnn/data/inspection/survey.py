"""Looks at the first entries of a file for units, sentinels, working points and missing numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.data.inspection.layout import BranchGroup
from root_gnn.data.inspection.naming import SENTINELS
from root_gnn.protocols import Source

SAMPLE = 1_000  # number of entries that units are guessed from
MOST_ROWS = 1_000_000  # whole columns (ids, labels) are read up to this entry
MEV_MEDIAN = 2_000.0  # a median pt above this is no collider object in GeV
MEV_LEAST = 500.0  # below, numbers with ATLAS names are taken to be in GeV after all
ATLAS = ("AuxDyn", "NOSYS")


@dataclass(frozen=True)
class Unit:
    """A guessed unit and why."""

    name: str
    reason: str


class Survey:
    """The first entries of an open source, branch by branch; raises InputError where one cannot be read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.n_entry = source.n_entry
        self._arrays: dict[str, Any] = {}

    def array(self, branch: str) -> Any:
        """The branch in the first `SAMPLE` entries."""
        if branch not in self._arrays:
            self._arrays[branch] = self._source.read((branch,), 0, min(SAMPLE, self.n_entry))[branch]
        return self._arrays[branch]

    def fetch(self, branches: list[str]) -> None:
        """Reads several branches at once, which is faster than one by one."""
        wanted = tuple(name for name in dict.fromkeys(branches) if name not in self._arrays)
        if wanted:
            self._arrays.update(self._source.read(wanted, 0, min(SAMPLE, self.n_entry)))

    def numbers(self, branch: str) -> NDArray[np.float64]:
        """All numbers of a branch in the first entries, flat."""
        return np.asarray(ak.to_numpy(ak.flatten(self.array(branch), axis=None)), dtype=np.float64)

    def column(self, branch: str) -> NDArray[Any]:
        """Returns a number per entry, of lists the first value, up to `MOST_ROWS`; raises InputError if unreadable."""
        array = self._source.read((branch,), 0, min(MOST_ROWS, self.n_entry))[branch]
        return np.asarray(ak.to_numpy(array if array.ndim == 1 else ak.firsts(array), allow_missing=False))

    def one_each(self, branch: str) -> bool:
        """Whether every entry's list has exactly one value, in the first entries."""
        return bool(ak.all(ak.num(self.array(branch), axis=1) == 1))

    def filled(self, branch: str) -> bool:
        """Whether every entry's list has a value, in the first entries."""
        return bool(ak.all(ak.num(self.array(branch), axis=1) > 0))

    def unit(self, group: BranchGroup) -> Unit:
        """Guesses the unit of momenta, from names or else from the median, and whether angles are in degrees."""
        unit, phi = self._unit(group), group.features.get("phi")
        if phi and self.in_degrees(_slots(group, phi)[0]):
            return Unit(unit.name, f"{unit.reason}; phi in degrees, since it goes beyond 2 pi")
        return unit

    def _unit(self, group: BranchGroup) -> Unit:
        momentum = group.features.get("pt") or group.features.get("px") or ""
        if not momentum:
            return Unit("MeV", "ATLAS writes qOverP in 1/MeV")
        named = next((unit for unit in ("MeV", "GeV") if f"_{unit}" in momentum or f"[{unit}]" in momentum), None)
        if named:
            return Unit(named, f"the name {momentum} says so")
        shown, size = (
            _first(group, momentum),
            np.abs(np.concatenate([self.numbers(name) for name in _slots(group, momentum)])),
        )
        size = size[np.isfinite(size) & (size > 0)]
        if not len(size):
            return Unit("GeV", f"{shown} has no value in the first {min(SAMPLE, self.n_entry):,} entries")
        median = float(np.median(size))
        why = f"the median of {shown} is {median:{',.0f' if median >= 1_000 else '.3g'}}"
        if any(sign in momentum for sign in ATLAS) and median > MEV_LEAST:
            return Unit("MeV", f"ATLAS names, and {why}")
        return Unit("MeV" if median > MEV_MEDIAN else "GeV", why)

    def in_degrees(self, branch: str) -> bool:
        """Whether a phi goes beyond two pi, and not beyond a circle in degrees."""
        largest = float(np.max(np.abs(self.numbers(branch)), initial=0.0))
        return 2 * pi + 0.01 < largest <= 360.0

    def working_point(self, branch: str) -> float | None:
        """The 90 % quantile of a b-tag branch that is a discriminator; None where it is 0 or 1 already."""
        values = self.numbers(branch)
        values = values[np.isfinite(values)]
        if not len(values) or np.isin(values, (0, 1)).all():
            return None
        return float(f"{np.quantile(values, 0.9):.4g}")

    def sentinels(self, branch: str) -> tuple[float, ...]:
        """Numbers such as -999 that stand for "not measured", as the file holds them."""
        values = np.unique(self.numbers(branch))
        return tuple(float(values[near][0]) for value in SENTINELS if (near := np.abs(values - value) < 1e-3).any())

    def infinite(self, branch: str) -> int:
        """How many numbers of the first entries are NaN or infinite."""
        return int(np.count_nonzero(~np.isfinite(self.numbers(branch))))

    def padded(self, branch: str) -> bool:
        """Whether a momentum is not positive somewhere, as where there is no object."""
        return bool((~(self.numbers(branch) > 0)).any())

    def exclusive(self, branches: list[str]) -> bool:
        """Whether in each of the first entries exactly one of the branches is not 0."""
        return bool((sum((self.numbers(name) != 0).astype(int) for name in branches) == 1).all())

    def values(self, branch: str) -> list[int] | None:
        """The whole numbers that a branch takes in the file, where they are few; None where it holds others."""
        column = self.column(branch)
        distinct = np.unique(column)
        if len(distinct) > 30 or not np.array_equal(distinct, np.floor(distinct)):
            return None
        return [int(value) for value in distinct]

    def duplicates(self, branches: list[str]) -> int:
        """How many entries have the ids of an earlier one."""
        columns = [self.column(name) for name in branches]
        whole = [
            column.astype(np.int64)
            if column.dtype.kind == "f"
            else column.view(np.int64)
            if column.dtype == np.uint64
            else column
            for column in columns
        ]
        rows = np.stack([column.astype(np.int64) for column in whole], axis=1)
        return len(rows) - len(np.unique(rows, axis=0))


def _slots(group: BranchGroup, template: str) -> list[str]:
    return [template.replace("%SLOT%", slot) for slot in group.slots] or [template]


def _first(group: BranchGroup, template: str) -> str:
    shown = f"{_slots(group, template)[0]} and following" if group.slots else template
    return shown if "pt" in group.features else f"|{shown}|"
