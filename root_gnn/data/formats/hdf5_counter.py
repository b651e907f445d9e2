"""Flat datasets with counters, the layout of hepfile and h5hep: finds each counter, and the values of an entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.formats.hdf5_file import Contents, convert_read_errors, decoded_text
from root_gnn.errors import InputError

MAPS = ("datasets_and_counters", "_MAP_DATASETS_TO_COUNTERS_", "_SINGLETONGROUP_", "_SINGLETONSGROUPFORSTORAGE_")
"""Lists of names in h5hep and hepfile files; the first two map datasets to counters."""
SINGLE = ("_SINGLETON_/", "_SINGLETONS_GROUP_/", "_HEADER_/")
ENTRY_ATTRIBUTES = ("nevents", "nentries", "_NUMBER_OF_BUCKETS_")
BLOCK = 65_536  # entries; the index of the first value is stored per block, not per entry


def counter_names(path: Path, contents: Contents) -> dict[str, str]:
    """The counter of each flat dataset, by name, from the list in the file or the attribute `counter` of the group.

    Raises InputError if a counter is missing.
    """
    listed = {
        name: counter for key in MAPS[:2] if key in contents.datasets for name, counter in _pairs(path, key, contents)
    }
    counters = {}
    for name in contents.datasets:
        group = name.rpartition("/")[0]
        attribute = contents.groups[group].attrs.get("counter") if group in contents.groups else None
        counter = listed.get(name) or (decoded_text(attribute) if attribute is not None else None)
        if counter and counter != name and not counter.startswith(SINGLE):
            counters[name] = _counter_path(path, name, counter, contents)
    return counters


def _counter_path(path: Path, name: str, counter: str, contents: Contents) -> str:
    """The counter's path relative to the group that is read; files name it from their root.

    Raises InputError if there is no such dataset.
    """
    sibling = "/".join(filter(None, (name.rpartition("/")[0], counter.rpartition("/")[2])))
    for candidate in (counter, sibling):
        if candidate in contents.datasets:
            return candidate
    raise InputError(
        f"{path}: {name} is counted by {counter}, and there is no such dataset in this file. Produce the file again."
    )


def _pairs(path: Path, key: str, contents: Contents) -> list[tuple[str, str]]:
    with convert_read_errors(path, f"the list {key}"):
        return [(decoded_text(name), decoded_text(counter)) for name, counter in contents.datasets[key][()]]


class FlatCounter:
    """The counter of flat datasets: values per entry and the index of the first; `total` is their sum.

    Raises InputError unless the dataset holds one integer, 0 or more, per entry.
    """

    def __init__(self, path: Path, name: str, dataset: Any) -> None:
        self.path, self.name, self._dataset = path, name, dataset
        if dataset.ndim != 1 or dataset.dtype.kind not in "iu":
            raise InputError(
                f"{path}: {name} should be one whole number per entry, a counter, but is {dataset.dtype} "
                f"{dataset.shape}."
            )
        self._starts = [0]
        for start in range(0, dataset.shape[0], BLOCK):
            self._starts.append(self._starts[-1] + int(self._read(start, start + BLOCK).sum()))
        self.total = self._starts[-1]

    def range(self, start: int, stop: int) -> tuple[int, NDArray[np.int64]]:
        """The index of the first value of entry `start`, and the counts of entries `start .

        Stop - 1`, `(stop - start,)`.
        """
        block = start // BLOCK
        counts = self._read(block * BLOCK, stop)
        skipped = start - block * BLOCK
        return self._starts[block] + int(counts[:skipped].sum()), counts[skipped:]

    def _read(self, start: int, stop: int) -> NDArray[np.int64]:
        with convert_read_errors(self.path, self.name):
            counts: NDArray[np.int64] = self._dataset[start:stop].astype(np.int64)
        if (counts < 0).any():
            entry = int(np.argmax(counts < 0))
            raise InputError(
                f"{self.path}: {self.name} is {counts[entry]} in entry {start + entry}; a counter is 0 or more. "
                "Produce the file again."
            )
        return counts
