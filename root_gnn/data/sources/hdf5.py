"""HDF5 files, with a branch for each dataset or field of a dataset, read with h5py a range of entries at a time.

A branch is the path of a dataset (`INPUTS/Source/pt`), `dataset.field` where its rows are records (`tracks.d0`), and
either with `.0`, `.1` ... for one column of the last axis (`PFCands.3`). Flat datasets with a counter, as in hepfile
and h5hep files, become lists.
"""

from __future__ import annotations

from collections import Counter as Votes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import awkward as ak
import h5py
import numpy as np
from numpy.typing import NDArray

from root_gnn.data.formats.fixed_rows import (
    NUMBERS,
    check_range,
    chunks_of,
    column_names,
    plain_attributes,
    to_awkward,
    type_text,
)
from root_gnn.data.formats.hdf5_counter import ENTRY_ATTRIBUTES, MAPS, SINGLE, FlatCounter, counter_names
from root_gnn.data.formats.hdf5_file import (
    DAMAGED,
    Contents,
    contents_of,
    convert_read_errors,
    missing_filter,
    open_hdf5,
)
from root_gnn.data.formats.root_file import first_line
from root_gnn.errors import InputError, suggest
from root_gnn.protocols import Source, SourceConfig

WHOLE_RECORDS = 0.5  # above this share of fields, h5py reads whole records faster than single fields
LISTED_BYTES = 1024  # assumed for a text or variable-length list, whose size is known only after reading


@dataclass(frozen=True)
class Branch:
    """The origin of a branch.

    Attributes:
        dataset: the path of the dataset.
        field: a field of its records; None for the whole.
        column: an index of the last axis; None for all.
    """

    dataset: str
    field: str | None = None
    column: int | None = None


class Config(SourceConfig):
    """An HDF5 file, or one group of it, where a file holds several samples."""

    formats: ClassVar = ("HDF5",)
    article: ClassVar = "an"
    magic: ClassVar = (b"\x89HDF\r\n\x1a\n",)
    endings: ClassVar = (".h5", ".hdf5", ".hdf")
    order: ClassVar = 21

    group: str = ""

    @contextmanager
    def open(self, path: Path) -> Iterator[Hdf5]:
        """The file.

        Raises InputError where it is not HDF5, is damaged, leads into other files, or holds no rows of numbers.
        """
        with open_hdf5(path) as file:
            with convert_read_errors(path):
                source = Hdf5(path, file, contents_of(path, file, self.group))
            yield source

    @classmethod
    def found_in(cls, path: Path) -> list[Self]:
        """The whole file, then each top-level group whose datasets have another number of entries than the file."""
        with open_hdf5(path) as file:
            with convert_read_errors(path):
                source = Hdf5(path, file, contents_of(path, file))
            return [cls(), *(cls(group=group) for group in source.other_groups())]


class Hdf5(Source):
    """The datasets of an open HDF5 file."""

    def __init__(self, path: Path, file: Any, contents: Contents) -> None:
        self.path, self._file = path, file
        self._dangling = contents.dangling
        self._counter_of = counter_names(path, contents)
        tables = tuple(f"{name}/" for name, kind in contents.pandas.items() if kind.endswith("table"))
        self._datasets = {
            name: dataset
            for name, dataset in contents.datasets.items()
            if dataset.shape and not name.startswith((*tables, *SINGLE)) and name not in MAPS
        }
        pairs = [pair for key, dataset in self._datasets.items() for pair in _branches_of(key, dataset)]
        # whole arrays come before their single columns
        self._branches = dict(sorted(pairs, key=lambda pair: pair[1].column is not None))
        if not self._branches:
            raise InputError(f"{path}: {_nothing(tables)}")
        self.branches = (*self._branches, *self._dangling)
        self._counters: dict[str, FlatCounter] = {}
        self.n_entry = self._count_entries()

    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named branches of entries `start .. stop - 1`.

        Raises InputError naming one that is missing or can't be read.
        """
        check_range(self.path, start, stop, self.n_entry)
        wanted = {name: self._find(name) for name in branches}
        arrays = {}
        for dataset in dict.fromkeys(branch.dataset for branch in wanted.values()):
            own = {name: branch for name, branch in wanted.items() if branch.dataset == dataset}
            arrays.update(self._read_dataset(dataset, own, start, stop))
        return {name: arrays[name] for name in branches}

    def chunks(self, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Ranges of entries that take about 64 MiB, in whole storage chunks unless those are larger."""
        selected = [self._find(name) for name in branches]
        size, together = 0.0, 1
        for name in {branch.dataset for branch in selected}:
            dataset = self._datasets[name]
            fields = _fields([branch for branch in selected if branch.dataset == name], dataset.dtype)
            row = sum(dataset.dtype[field].itemsize for field in fields) if fields else dataset.dtype.itemsize
            row = LISTED_BYTES if dataset.dtype.kind == "O" else row
            size += row * dataset.size / max(self.n_entry, 1)
            if dataset.chunks and name not in self._counter_of:
                together = max(together, dataset.chunks[0])
        return chunks_of(self.n_entry, size, together)

    def type_of(self, branch: str) -> str:
        """The type of one entry in awkward's words; empty for datasets that do not have one row per entry."""
        if branch not in self._branches:
            return ""
        origin = self._branches[branch]
        dataset = self._datasets[origin.dataset]
        if self._rows_of(origin.dataset) != self.n_entry:
            return ""
        listed = "var * " if origin.dataset in self._counter_of else ""
        if _listed(dataset.dtype):
            return f"var * {np.dtype(h5py.check_vlen_dtype(dataset.dtype)).name}"
        dtype, shape = _row_type(dataset, origin.field)
        return listed + type_text(dtype, shape if origin.column is None else shape[:-1])

    def metadata(self) -> dict[str, Any]:
        """The attributes of the file that are a finite number or a text."""
        with convert_read_errors(self.path, "its list of attributes"):
            return plain_attributes(dict(self._file.attrs))

    def other_groups(self) -> list[str]:
        """Top-level groups with another number of entries than the file as a whole."""
        counts: dict[str, set[int]] = {}
        for name in self._datasets:
            counts.setdefault(name.partition("/")[0], set()).add(self._rows_of(name))
        return [group for group, rows in counts.items() if group not in self._datasets and self.n_entry not in rows]

    def _count_entries(self) -> int:
        votes: Votes[int] = Votes()
        for branch in self._branches.values():
            votes[self._rows_of(branch.dataset)] += 1
        most = max(votes.values())
        n_entry = max(rows for rows, count in votes.items() if count == most)
        for name in ENTRY_ATTRIBUTES if self._counter_of else ():
            if name in self._file.attrs and int(self._file.attrs[name]) != n_entry:
                raise InputError(
                    f"{self.path}: the file says {name} = {self._file.attrs[name]}, but its counters have {n_entry} "
                    "rows; it was not written to its end. Produce it again."
                )
        return n_entry

    def _rows_of(self, name: str) -> int:
        """The number of entries of a dataset: its rows, or those of its counter."""
        return int(self._datasets[self._counter_of.get(name, name)].shape[0])

    def _find(self, name: str) -> Branch:
        if name in self._dangling:
            raise InputError(
                f"{self.path}: {name} is a link to {self._dangling[name]}, and there is no such dataset in this file."
            )
        if name not in self._branches:
            raise InputError(
                f"{self.path}: there is no dataset or field {name} in this file{suggest(name, self.branches)}"
            )
        branch = self._branches[name]
        rows = self._rows_of(branch.dataset)
        if rows != self.n_entry:
            like = next(key for key in self._datasets if self._rows_of(key) == self.n_entry)
            raise InputError(
                f"{self.path}: {self._counter_of.get(branch.dataset, branch.dataset)} has {rows} rows, but the file "
                f"has {self.n_entry} entries (as {like}); every dataset that is read needs one row per entry. If the "
                f"file holds several samples, name the group of one in the spec (source: {{name: hdf5, group: ...}}); "
                "otherwise produce the file again."
            )
        return branch

    def _read_dataset(self, name: str, wanted: dict[str, Branch], start: int, stop: int) -> dict[str, Any]:
        counts = None
        if name in self._counter_of:
            start, counts = self._counter(name).range(start, stop)
            stop = start + int(counts.sum())
        values = self._values(name, list(wanted.values()), start, stop)
        if isinstance(values, ak.Array):
            arrays = dict.fromkeys(wanted, values)
        else:
            arrays = {key: to_awkward(_part(values, branch)) for key, branch in wanted.items()}
        return arrays if counts is None else {key: ak.unflatten(array, counts) for key, array in arrays.items()}

    def _counter(self, name: str) -> FlatCounter:
        key = self._counter_of[name]
        if key not in self._counters:
            self._counters[key] = FlatCounter(self.path, key, self._datasets[key])
        counter, rows = self._counters[key], int(self._datasets[name].shape[0])
        if counter.total != rows:
            raise InputError(
                f"{self.path}: {name} has {rows} values, but its counter {key} adds up to {counter.total}; which value "
                "belongs to which entry can't be told. Produce the file again."
            )
        return counter

    def _values(self, name: str, branches: list[Branch], start: int, stop: int) -> Any:
        dataset = self._datasets[name]
        lacking = missing_filter(dataset)
        if lacking:
            raise InputError(
                f"{self.path}: {name} is compressed with {lacking[1]} (filter {lacking[0]}), which h5py cannot undo. "
                "Let HDF5 find the filter (the folder in HDF5_PLUGIN_PATH), or write the file anew: h5repack -f "
                "GZIP=1 OLD NEW."
            )
        try:
            return _slice(dataset, branches, start, stop)
        except DAMAGED as error:
            raise InputError(
                f"{self.path}: {name} cannot be read at rows {start} to {stop - 1}; the file is damaged or truncated. "
                f"({first_line(error)})"
            ) from error


def _nothing(tables: tuple[str, ...]) -> str:
    if tables:
        key = tables[0].rstrip("/")
        return f"the file holds a pandas table; read it with source: {{name: pandas_table, key: {key}}}."
    return "the file holds no datasets with rows of numbers."


def _branches_of(name: str, dataset: Any) -> Iterator[tuple[str, Branch]]:
    dtype = dataset.dtype
    for field in dtype.names or ():
        inner, shape = _row_type(dataset, field)
        if inner.kind in NUMBERS:
            yield from ((key, Branch(name, field, column)) for key, column in column_names(f"{name}.{field}", shape))
    if dtype.kind in NUMBERS:
        yield from ((key, Branch(name, None, column)) for key, column in column_names(name, dataset.shape[1:]))
    elif dataset.ndim == 1 and (h5py.check_string_dtype(dtype) or _listed(dtype)):
        yield name, Branch(name)


def _listed(dtype: np.dtype[Any]) -> bool:
    """Whether rows are lists of numbers of varying length."""
    inner = h5py.check_vlen_dtype(dtype)
    return inner not in (None, str, bytes) and np.dtype(inner).kind in NUMBERS


def _row_type(dataset: Any, field: str | None) -> tuple[np.dtype[Any], tuple[int, ...]]:
    dtype = dataset.dtype if field is None else dataset.dtype[field]
    return dtype.base, (*dataset.shape[1:], *dtype.shape)


def _fields(branches: list[Branch], dtype: np.dtype[Any]) -> list[str]:
    """The fields to request from h5py; none where whole records are read."""
    requested = list(dict.fromkeys(branch.field for branch in branches if branch.field is not None))
    return requested if len(requested) <= WHOLE_RECORDS * len(dtype.names or ()) else []


def _slice(dataset: Any, branches: list[Branch], start: int, stop: int) -> Any:
    if h5py.check_string_dtype(dataset.dtype):
        return ak.Array(dataset.asstr(errors="replace")[start:stop].tolist()) if stop > start else ak.Array([""])[:0]
    if _listed(dataset.dtype):
        rows = dataset[start:stop]
        flat = np.concatenate([np.empty(0, dtype=h5py.check_vlen_dtype(dataset.dtype)), *rows])
        return ak.unflatten(to_awkward(flat), np.array([len(row) for row in rows], dtype=np.int64))
    fields = _fields(branches, dataset.dtype)
    return dataset.fields(fields)[start:stop] if fields else dataset[start:stop]


def _part(values: NDArray[Any], branch: Branch) -> NDArray[Any]:
    part = values if branch.field is None else values[branch.field]
    return part if branch.column is None else part[..., branch.column]
