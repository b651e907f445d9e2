"""Parquet files: columns of numbers, lists, structs and strings, read with pyarrow a range of entries at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from root_gnn.data.formats.root_file import first_line
from root_gnn.data.formats.sniff import refuse_other_formats
from root_gnn.errors import InputError, NullValueError, suggest
from root_gnn.protocols import Source, SourceConfig

CHUNK_BYTES = 64 * 2**20  # uncompressed bytes of the columns in one chunk
MOST_ENTRIES = 200_000
SMALLEST_CHUNK = 1_000
BATCH_ENTRIES = 20_000  # decoded at a time; a row group may be much larger than fits in memory


@dataclass(frozen=True)
class ParquetLeaf:
    """One branch: a column, or a field of structs in it.

    Attributes:
        column: the name of the column.
        fields: the path of field names inside it.
        path: the path of the leaf as parquet names it.
        index: the index of the leaf among those of the file.
        type: the Arrow type of the column.
    """

    column: str
    fields: tuple[str, ...]
    path: str
    index: int
    type: Any


class Config(SourceConfig):
    """A parquet file; a field of a struct, or of a list of structs, is the branch `column.field`."""

    formats: ClassVar = ("parquet",)
    magic: ClassVar = (b"PAR1",)
    endings: ClassVar = (".parquet", ".pq")
    order: ClassVar = 30

    @contextmanager
    def open(self, path: Path) -> Iterator[Parquet]:
        """The table of a file; raises InputError where the file is not parquet, is damaged or cut short."""
        refuse_other_formats(path, "parquet")
        with path.open("rb") as stream:
            try:
                file = pq.ParquetFile(stream, page_checksum_verification=True)
                leaves = dict(_leaves(file))
            except (pa.ArrowException, OSError) as error:
                raise InputError(
                    f"{path}: this starts like a parquet file but cannot be opened; it is most likely truncated "
                    f"({path.stat().st_size:,} bytes). Copy or produce it again. ({first_line(error)})"
                ) from error
            with file:
                yield Parquet(path, file, leaves)

    @classmethod
    def found_in(cls, path: Path) -> list[Self]:
        """The one table of the file."""
        with cls().open(path):
            return [cls()]


class Parquet(Source):
    """The table of an open parquet file."""

    def __init__(self, path: Path, file: Any, leaves: dict[str, ParquetLeaf]) -> None:
        self.path, self._file, self._leaves = path, file, leaves
        self.n_entry = int(file.metadata.num_rows)
        self.branches = tuple(leaves)
        self._rows: _Rows | None = None

    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named branches of entries `start .. stop - 1`.

        Raises InputError naming a branch that is missing, has nulls or cannot be read.
        """
        missing = [name for name in branches if name not in self._leaves]
        if missing:
            raise InputError(f"{self.path}: there is no column {missing[0]}{suggest(missing[0], self.branches)}")
        if not branches:
            return {}
        leaves = [self._leaves[name] for name in branches]
        paths = tuple(dict.fromkeys(leaf.path for leaf in leaves))
        if self._rows is None or self._rows.paths != paths or self._rows.position > start:
            self._rows = _Rows(self._file, paths, start)
        try:
            table = self._rows.take(start, stop)
        except (pa.ArrowException, OSError, NotImplementedError) as error:
            self._rows = None
            raise InputError(
                f"{self.path}: the entries {start} to {stop - 1} of "
                f"{', '.join(branches[:3])}{' ...' if len(branches) > 3 else ''} cannot be read; the file is damaged, "
                f"or a column has a type that pyarrow does not know. ({first_line(error)})"
            ) from error
        return {name: self._column(table, name, leaf, start) for name, leaf in zip(branches, leaves, strict=True)}

    def chunks(self, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Ranges of entries whose columns take about `CHUNK_BYTES`; row groups are joined, or split, to that."""
        indices = {self._leaves[name].index for name in branches if name in self._leaves}
        groups = [self._file.metadata.row_group(group) for group in range(self._file.metadata.num_row_groups)]
        size = sum(group.column(index).total_uncompressed_size for group in groups for index in indices)
        step = min(MOST_ENTRIES, max(SMALLEST_CHUNK, int(self.n_entry * CHUNK_BYTES / size) if size else MOST_ENTRIES))
        for start in range(0, self.n_entry, step):
            yield start, min(start + step, self.n_entry)

    def type_of(self, branch: str) -> str:
        """The type of one entry in awkward's notation; empty if awkward has none."""
        leaf = self._leaves[branch]
        try:
            return str(_plain(_part(ak.from_arrow(pa.array([], leaf.type)), leaf)).type.content)
        except (pa.ArrowException, TypeError, ValueError, NotImplementedError):
            return ""

    def _column(self, table: Any, name: str, leaf: ParquetLeaf, start: int) -> Any:
        column, first = table.column(leaf.column), start
        for chunk in column.chunks:
            null = _first_null(chunk, leaf.fields)
            if null is not None:
                raise NullValueError(
                    f"{self.path}: the column {name} has a null in entry {first + null}; a missing number is not zero. "
                    "Write NaN where the spec's on_nan is to decide, or leave such entries out when the file is made.",
                    branch=name,
                )
            first += len(chunk)
        try:
            return _plain(_part(ak.from_arrow(column), leaf))
        except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as error:
            what = f"{self.path}: the column {name} has a type that is not known here, {leaf.type}"
            raise InputError(f"{what}. ({first_line(error)})") from error


class _Rows:
    """Decodes rows of some columns in small batches, forward from one entry; `position` is the next row."""

    def __init__(self, file: Any, paths: tuple[str, ...], start: int) -> None:
        self.paths = paths
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
        ends = np.cumsum(sizes)
        first = int(np.searchsorted(ends, start, side="right"))
        self.position = int(ends[first - 1]) if first else 0
        groups = list(range(first, len(sizes)))
        self._batches = file.iter_batches(BATCH_ENTRIES, row_groups=groups, columns=list(paths)) if groups else iter(())
        self._schema = pa.schema(
            [field for field in file.schema_arrow if any(_is_part(path, field.name) for path in paths)]
        )
        self._rest: Any = None

    def take(self, start: int, stop: int) -> Any:
        """The table of entries `start .. stop - 1`; `start` must not be before `position`."""
        parts: list[Any] = []
        while self.position < stop:
            batch = self._rest if self._rest is not None else next(self._batches, None)
            if batch is None:
                raise pa.ArrowInvalid(f"the row groups end at entry {self.position}")
            skip = min(max(start - self.position, 0), len(batch))
            count = min(stop - self.position, len(batch))
            if count > skip:
                parts.append(batch.slice(skip, count - skip))
            self._rest = batch.slice(count) if count < len(batch) else None
            self.position += count
        return pa.Table.from_batches(parts) if parts else self._schema.empty_table()


def _is_part(path: str, column: str) -> bool:
    return path == column or path.startswith(f"{column}.")


def _leaves(file: Any) -> Iterator[tuple[str, ParquetLeaf]]:
    """Names and leaves of the branches; the leaves of the Arrow schema have the order of the file's columns."""
    index = 0
    for field in file.schema_arrow:
        for fields, readable in _fields(field.type):
            if readable:
                yield (
                    ".".join((field.name, *fields)),
                    ParquetLeaf(field.name, fields, file.schema.column(index).path, index, field.type),
                )
            index += 1


def _fields(kind: Any) -> Iterator[tuple[tuple[str, ...], bool]]:
    """For each leaf of a type, the path of struct fields to it, and whether a branch can hold it."""
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_struct(kind):
        for field in kind:
            yield from (((field.name, *fields), readable) for fields, readable in _fields(field.type))
    elif pa.types.is_map(kind):
        yield from (((), False) for part in (kind.key_type, kind.item_type) for _ in _fields(part))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _fields(kind.value_type)
    else:
        yield (), True


def _part(array: Any, leaf: ParquetLeaf) -> Any:
    for name in leaf.fields:
        array = array[name]
    return array


def _plain(array: Any) -> Any:
    """The array without option types and dictionaries; numbers are not copied. Nulls must have been refused before.

    Masks are ignored: awkward 2 reads the mask of an Arrow slice that begins inside a byte from the byte's start.
    """

    def step(layout: Any, **_: Any) -> Any:
        while layout.is_option or layout.is_indexed:
            if layout.is_indexed:
                if layout.is_option and (layout.index.data < 0).any():
                    raise ValueError("a dictionary with nulls inside of lists")
                layout = layout.project()
            else:
                layout = layout.content[: layout.length]
            if not (layout.is_option or layout.is_indexed):
                return ak.transform(step, layout, highlevel=False)
        return None

    return ak.Array(ak.transform(step, ak.to_layout(array), highlevel=False))


def _first_null(array: Any, fields: tuple[str, ...]) -> int | None:
    """The first row with a null at any depth on the path `fields`; None if there is none."""
    while isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    rows = [int(pc.index(array.is_null(), True).as_py())] if array.null_count else []
    kind = array.type
    if pa.types.is_struct(kind):
        inside = _first_null(array.field(fields[0]), fields[1:])
        rows += [] if inside is None else [inside]
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inside = _first_null(array.flatten(), fields)
        rows += [] if inside is None else [int(pc.list_parent_indices(array)[inside].as_py())]
    return min(rows, default=None)
