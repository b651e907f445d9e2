"""Tables that pandas wrote with `to_hdf(..., format="table")`, column by column; the Top Tagging reference set is one.

Such a table is an HDF5 dataset of records. Columns of one type stand together in a field (`values_block_0`), whose
names are a pickled list in an attribute. Neither pandas nor PyTables is used: both unpickle whatever the attributes
hold, which lets a file run code. Here h5py reads the records, the list is parsed without running it, and `blosc2`
(a dependency of PyTables) decompresses the one format of such files that h5py does not know.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.formats.fixed_rows import NUMBERS, check_range, chunks_of, to_awkward, type_text
from root_gnn.data.formats.hdf5_file import (
    DAMAGED,
    Contents,
    contents_of,
    convert_read_errors,
    missing_filter,
    open_hdf5,
)
from root_gnn.data.formats.root_file import first_line
from root_gnn.errors import InputError, MissingExtraError, suggest
from root_gnn.protocols import Source, SourceConfig

BLOSC = 32001  # the number of the blosc filter in HDF5
NAMES = {
    "UNICODE",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
    "INT",
    "BININT",
    "BININT1",
    "BININT2",
    "LONG",
    "LONG1",
}
LIST = {
    "PROTO",
    "FRAME",
    "MARK",
    "LIST",
    "EMPTY_LIST",
    "APPEND",
    "APPENDS",
    "PUT",
    "BINPUT",
    "LONG_BINPUT",
    "MEMOIZE",
    "STOP",
}


class Config(SourceConfig):
    """A pandas table: its key in the file, as in `pandas.read_hdf`; may be left out where the file holds one table."""

    formats: ClassVar = ("HDF5",)
    article: ClassVar = "an"
    magic: ClassVar = (b"\x89HDF\r\n\x1a\n",)
    endings: ClassVar = (".h5", ".hdf5", ".hdf")
    order: ClassVar = 20

    key: str | None = None

    @contextmanager
    def open(self, path: Path) -> Iterator[PandasTable]:
        """The table; raises InputError where the file is not HDF5, is damaged, or has no such table."""
        with open_hdf5(path) as file:
            with convert_read_errors(path):
                table = PandasTable(path, *_table(path, contents_of(path, file), self.key))
            yield table

    @classmethod
    def found_in(cls, path: Path) -> list[Self]:
        """One source for each table of the file; raises InputError where there is none."""
        with open_hdf5(path) as file:
            keys = _keys(path, contents_of(path, file))
        return [cls(key=key) for key in keys]


class PandasTable(Source):
    """One pandas table of an open file."""

    def __init__(self, path: Path, key: str, dataset: Any) -> None:
        self.path, self.key, self._dataset = path, key, dataset
        self.n_entry = int(dataset.shape[0])
        self._columns = {
            str(name): (field, index)
            for field in dataset.dtype.names
            for index, name in _column_names(path, dataset, field)
        }
        self.branches = tuple(self._columns)
        self._blosc = _blosc_for(path, key, dataset)

    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named columns of rows `start .. stop - 1`.

        Raises InputError naming a column that is missing, or rows that cannot be read.
        """
        check_range(self.path, start, stop, self.n_entry)
        missing = [name for name in branches if name not in self._columns]
        if missing:
            raise InputError(
                f"{self.path}: the table {self.key} has no column {missing[0]}{suggest(missing[0], self.branches)}"
            )
        rows = self._rows(start, stop) if branches else None
        return {name: to_awkward(_column(rows, *self._columns[name])) for name in branches}

    def chunks(self, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:  # noqa: ARG002 rows are read whole
        """Ranges of rows that take about 64 MiB, in whole storage chunks; rows are read whole, whatever the columns."""
        return chunks_of(
            self.n_entry, self._dataset.dtype.itemsize, self._dataset.chunks[0] if self._dataset.chunks else 1
        )

    def type_of(self, branch: str) -> str:
        """The type of one value."""
        if branch not in self._columns:
            return ""
        return type_text(self._dataset.dtype[self._columns[branch][0]].base, ())

    def _rows(self, start: int, stop: int) -> NDArray[Any]:
        try:
            rows: NDArray[Any] = self._unpacked(start, stop) if self._blosc else self._dataset[start:stop]
        except DAMAGED as error:
            raise InputError(
                f"{self.path}: the table {self.key} cannot be read at rows {start} to {stop - 1}; the file is damaged "
                f"or truncated. ({first_line(error)})"
            ) from error
        return rows

    def _unpacked(self, start: int, stop: int) -> NDArray[Any]:
        """Rows of a table compressed with blosc, decompressed storage chunk by storage chunk."""
        dataset, step = self._dataset, self._dataset.chunks[0]
        first = start // step * step
        rows = np.zeros(max(-(-(stop - first) // step), 0) * step, dtype=dataset.dtype)
        for row in range(first, stop, step):
            skipped, packed = dataset.id.read_direct_chunk((row,))
            if (
                not skipped and int.from_bytes(packed[4:8], "little") != step * dataset.dtype.itemsize
            ):  # blosc's header: size when undone
                raise ValueError(f"the chunk at row {row} has the wrong size")
            plain = (
                packed if skipped else self._blosc.decompress(packed)
            )  # a chunk that would not shrink is stored as it is
            rows[row - first : row - first + step] = np.frombuffer(plain, dtype=dataset.dtype, count=step)
        return rows[start - first : stop - first]


def _keys(path: Path, contents: Contents) -> list[str]:
    keys = [
        name
        for name, kind in contents.pandas.items()
        if kind.endswith("table") and f"{name}/table" in contents.datasets
    ]
    if not keys and contents.pandas:
        name = next(iter(contents.pandas))
        raise InputError(
            f"{path}: {name} was written by pandas in its fixed format; write it again with "
            'to_hdf(..., format="table").'
        )
    if not keys:
        raise InputError(
            f"{path}: there is no pandas table in this file; read other HDF5 files with source: {{name: hdf5}}."
        )
    return keys


def _table(path: Path, contents: Contents, key: str | None) -> tuple[str, Any]:
    keys = _keys(path, contents)
    if key is None and len(keys) > 1:
        several = ", ".join(keys)
        raise InputError(
            f"{path}: the file holds the tables {several}; say which in the spec (source: "
            f"{{name: pandas_table, key: ...}})."
        )
    wanted = keys[0] if key is None else key.strip("/")
    if wanted not in keys:
        raise InputError(f"{path}: there is no pandas table {key} in this file; it holds: {', '.join(keys)}.")
    dataset = contents.datasets[f"{wanted}/table"]
    if dataset.ndim != 1 or not dataset.dtype.names:
        raise InputError(
            f"{path}: the table {wanted} is {dataset.dtype} {dataset.shape}, not one record per row; it is no pandas "
            "table."
        )
    return wanted, dataset


def _column_names(path: Path, dataset: Any, field: str) -> Iterator[tuple[int | None, Any]]:
    """Index in the field and name of each column of numbers; a field without a list of names is one column."""
    dtype = dataset.dtype[field]
    if dtype.base.kind not in NUMBERS or len(dtype.shape) > 1:
        return
    packed = dataset.attrs.get(f"{field}_kind")
    names = (
        _unpickled_names(path, field, bytes(packed)) if isinstance(packed, bytes) and packed.endswith(b".") else None
    )
    if names is None:
        yield from [(None, field)] if not dtype.shape else []
        return
    if len(names) != (dtype.shape[0] if dtype.shape else 1):
        raise InputError(f"{path}: {field} has {dtype.shape} columns and {len(names)} names; the file is damaged.")
    yield from ((index if dtype.shape else None, name) for index, name in enumerate(names))


def _unpickled_names(path: Path, field: str, packed: bytes) -> list[Any]:
    """The texts and whole numbers of a pickled list, found without running it.

    Raises InputError where it holds anything else.
    """
    names = []
    try:
        for code, value, _ in pickletools.genops(packed):
            if code.name in NAMES:
                names.append(value)
            elif code.name not in LIST:
                raise ValueError(f"the pickle does {code.name}")
    except ValueError as error:
        raise InputError(
            f"{path}: the names of the columns in {field} are not a plain list of names, so they are not read: such a "
            f"list can run code. ({first_line(error)})"
        ) from error
    return names


def _column(rows: Any, field: str, index: int | None) -> NDArray[Any]:
    block: NDArray[Any] = rows[field]
    return block if index is None else block[:, index]


def _blosc_for(path: Path, key: str, dataset: Any) -> Any:
    """The package that undoes the compression, where h5py does not.

    Raises InputError for a compression that cannot be decoded here.
    """
    lacking = missing_filter(dataset)
    if lacking is None:
        return None
    if lacking[0] != BLOSC or dataset.id.get_create_plist().get_nfilters() > 1:
        raise InputError(
            f"{path}: the table {key} is compressed with {lacking[1]} (filter {lacking[0]}), which is not known here. "
            "Write it anew with another, by PyTables' own program: ptrepack --complib=zlib --complevel=5 OLD NEW."
        )
    try:
        import blosc2
    except ImportError as error:
        raise MissingExtraError(
            "blosc2", "io", f"The table {key} of {path} is compressed with blosc; reading it"
        ) from error
    return blosc2
