"""Flat datasets beside a counter, as hepfile and h5hep write them: which belong together, and where an entry's values stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.formats.hdf5_file import Contents, reading, text
from root_gnn.errors import InputError

MAPS = ("datasets_and_counters", "_MAP_DATASETS_TO_COUNTERS_", "_SINGLETONGROUP_", "_SINGLETONSGROUPFORSTORAGE_")
"""h5hep's and hepfile's lists of names; the first two say which counter belongs to which dataset."""
SINGLE = ("_SINGLETON_/", "_SINGLETONS_GROUP_/", "_HEADER_/")
ENTRY_ATTRIBUTES = ("nevents", "nentries", "_NUMBER_OF_BUCKETS_")
BLOCK = 65_536  # entries; the place of the first value is kept for each block, not for each entry


def counter_names(path: Path, contents: Contents) -> dict[str, str]:
    """The counter of each flat dataset, from the file's own list, or from the attribute `counter` of the group."""
    listed = {
        name: counter for key in MAPS[:2] if key in contents.datasets for name, counter in _pairs(path, key, contents)
    }
    found = {}
    for name in contents.datasets:
        group = name.rpartition("/")[0]
        said = contents.groups[group].attrs.get("counter") if group in contents.groups else None
        counter = listed.get(name) or (text(said) if said is not None else None)
        if counter and counter != name and not counter.startswith(SINGLE):
            found[name] = _place(path, name, counter, contents)
    return found


def _place(path: Path, name: str, counter: str, contents: Contents) -> str:
    """The counter as a path below the group that is read; files name it from their top."""
    beside = "/".join(filter(None, (name.rpartition("/")[0], counter.rpartition("/")[2])))
    for place in (counter, beside):
        if place in contents.datasets:
            return place
    raise InputError(
        f"{path}: {name} is counted by {counter}, and there is no such dataset in this file. Produce the file again."
    )


def _pairs(path: Path, key: str, contents: Contents) -> list[tuple[str, str]]:
    with reading(path, f"the list {key}"):
        return [(text(name), text(counter)) for name, counter in contents.datasets[key][()]]


class FlatCounter:
    """How many values each entry has, and where they start; `total` is how many there are in all."""

    def __init__(self, path: Path, name: str, dataset: Any) -> None:
        self.path, self.name, self._dataset = path, name, dataset
        if dataset.ndim != 1 or dataset.dtype.kind not in "iu":
            raise InputError(
                f"{path}: {name} should be one whole number per entry, a counter, but is {dataset.dtype} {dataset.shape}."
            )
        self._starts = [0]
        for start in range(0, dataset.shape[0], BLOCK):
            self._starts.append(self._starts[-1] + int(self._read(start, start + BLOCK).sum()))
        self.total = self._starts[-1]

    def range(self, start: int, stop: int) -> tuple[int, NDArray[np.int64]]:
        """Where the values of entry `start` begin, and how many each of `start .. stop - 1` has."""
        block = start // BLOCK
        counts = self._read(block * BLOCK, stop)
        skipped = start - block * BLOCK
        return self._starts[block] + int(counts[:skipped].sum()), counts[skipped:]

    def _read(self, start: int, stop: int) -> NDArray[np.int64]:
        with reading(self.path, self.name):
            counts: NDArray[np.int64] = self._dataset[start:stop].astype(np.int64)
        if (counts < 0).any():
            entry = int(np.argmax(counts < 0))
            raise InputError(
                f"{self.path}: {self.name} is {counts[entry]} in entry {start + entry}; a counter is 0 or more. Produce the file again."
            )
        return counts
