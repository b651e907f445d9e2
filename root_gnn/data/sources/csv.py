"""CSV files: one entry per line, scalars only; the type of a column is the narrowest that fits all of its values."""

from __future__ import annotations

import csv
import gzip
import itertools
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from root_gnn.data.formats.root_file import first_line
from root_gnn.data.formats.sniff import format_of, refuse_other_formats
from root_gnn.errors import InputError, suggest
from root_gnn.protocols import LAST_RESORT, Source, SourceConfig

MOST_BYTES = 2**30  # a larger text is refused, since it is held in memory as a whole
CHUNK_ENTRIES = 200_000
SEPARATORS = (",", ";", "\t")
NUMBERS = (pa.int64(), pa.uint64(), pa.float64())
PLAIN = ("CSV", "text")
ZIPPED = ("gzip-compressed CSV", "gzip-compressed text")


class Config(SourceConfig):
    """A CSV file, gzip-compressed or not: its separator, and the names of its columns if the first line has none.

    Without `separator`, the most frequent of comma, semicolon and tab in the first line separates fields. With
    `columns`, the first line is an entry.
    """

    formats: ClassVar = ("CSV", "text")
    endings: ClassVar = (".csv",)
    gzipped: ClassVar = True
    order: ClassVar = LAST_RESORT

    separator: str | None = None
    columns: tuple[str, ...] = ()

    @classmethod
    def recognise(cls, head: bytes) -> str:
        """`CSV` for text with a comma in its first line, `text` for other text, which may have another separator."""
        if b"\0" in head or not _is_text(head):
            return ""
        return "CSV" if b"," in head.partition(b"\n")[0] else "text"

    @contextmanager
    def open(self, path: Path) -> Iterator[Csv]:
        """The table of a file.

        Raises InputError if it is no text, too large, or a line has another number of fields than the first.
        """
        actual = format_of(path)
        if actual not in PLAIN + ZIPPED:
            refuse_other_formats(path, "CSV")
        if self.separator is not None and len(self.separator) != 1:
            raise InputError(f"{path}: source.separator of the spec is {self.separator!r}; one character was expected.")
        if path.stat().st_size > MOST_BYTES:
            raise InputError(
                f"{path}: {path.stat().st_size:,} bytes of text are more than fit in memory; convert the file to "
                "parquet and name the source parquet in the spec."
            )
        text = Text(path, actual in ZIPPED, header=not self.columns)
        yield Csv(text, *self._table(text))

    @classmethod
    def found_in(cls, path: Path) -> list[Self]:
        """The one table of the file."""
        with cls().open(path):
            return [cls()]

    def _table(self, text: Text) -> tuple[Any, tuple[str, ...]]:
        path = text.path
        with text.open() as stream:
            first, more = stream.readline(), stream.read(1)
        try:
            line = first.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}: the first line is no UTF-8 text ({error.reason}); save the file as UTF-8."
            ) from error
        separator = self.separator or max(SEPARATORS, key=line.count)
        fields = next(csv.reader([line], delimiter=separator), [])
        if not self.columns and (not fields or all(_is_number(field) for field in fields)):
            raise InputError(
                f"{path}: the first line should name the columns, but it is {line[:60]!r}; name them in the spec: "
                f"source: {{name: csv, columns: [...]}}."
            )
        names = self.columns or tuple(field.strip() or f"column_{number}" for number, field in enumerate(fields, 1))
        if len(names) != len(fields):
            raise InputError(
                f"{path}: source.columns of the spec has {len(names)} names, the first line has {len(fields)} fields."
            )
        return text.table(separator, len(names)) if more or self.columns else _no_rows(len(names)), names


@dataclass(frozen=True)
class Text:
    """The text of a file.

    Attributes:
        path: the file.
        zipped: whether it is gzip-compressed.
        header: whether the first line names the columns.
    """

    path: Path
    zipped: bool
    header: bool

    @contextmanager
    def open(self) -> Iterator[Any]:
        """The decompressed text, as a binary stream."""
        with self.path.open("rb") as stream:
            if not self.zipped:
                yield stream
                return
            with gzip.open(stream) as unzipped:
                yield unzipped

    def table(self, separator: str, n_column: int) -> Any:
        """The table, each field as text; raises InputError at a line whose number of fields is not `n_column`."""
        wrong: list[Any] = []

        def refuse(row: Any) -> str:
            wrong.append(row)
            return "error"

        names = [str(index) for index in range(n_column)]
        parse = pv.ParseOptions(delimiter=separator, invalid_row_handler=refuse)
        convert = pv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False)
        read = pv.ReadOptions(column_names=names, skip_rows=int(self.header), use_threads=False)
        try:
            with self.open() as stream:
                table = pv.read_csv(stream, read, parse, convert)
        except (pa.ArrowException, OSError, EOFError, zlib.error) as error:
            if "Empty CSV file" in str(error):
                return _no_rows(n_column)
            if not wrong:
                raise InputError(
                    f"{self.path}: the file cannot be read to its end; it is no CSV, or damaged. ({first_line(error)})"
                ) from error
            row = wrong[0]
            raise InputError(
                f"{self.path}: line {self.line(row.number)} has {row.actual_columns} fields, {n_column} were expected "
                f"({row.text[:60]!r}). The file is cut short or damaged, or the separator is not {separator!r}: name "
                "it as source.separator in the spec."
            ) from error
        # An open quotation mark makes one field of several lines, which no number has.
        for number, column in enumerate(table.columns, 1):
            torn = pc.index(pc.match_substring(column, "\n"), True).as_py()
            if torn >= 0:
                raise InputError(
                    f"{self.path}: column {number} of line {self.line_of(torn)} continues after the end of the line; a "
                    "quotation mark is not closed."
                )
        return table

    def line_of(self, entry: int) -> int:
        """The line of an entry, counted from 1."""
        return self.line(entry + 1 + self.header)

    def line(self, number: int) -> int:
        """The number, counted from 1 over all lines, of the `number`-th line that is not empty."""
        with self.open() as stream:
            filled = (position for position, line in enumerate(stream, 1) if line.rstrip(b"\r\n"))
            return next(itertools.islice(filled, number - 1, None), number)


def _no_rows(n_column: int) -> Any:
    return pa.table({str(index): pa.array([], pa.large_string()) for index in range(n_column)})


class Csv(Source):
    """The table of a CSV file, as text; a column becomes numbers when it is first read."""

    def __init__(self, text: Text, table: Any, names: tuple[str, ...]) -> None:
        self.path, self._text, self._table, self._names = text.path, text, table, names
        self.n_entry = int(table.num_rows)
        self.branches = tuple(dict.fromkeys(names))
        self._columns: dict[str, Any] = {}

    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named columns of entries `start .. stop - 1`.

        Raises InputError naming a column that is missing, occurs twice, or mixes numbers and text.
        """
        return {name: self._column(name)[start:stop] for name in branches}

    def chunks(self, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:  # noqa: ARG002 part of the protocol
        """Ranges of `CHUNK_ENTRIES` entries."""
        for start in range(0, self.n_entry, CHUNK_ENTRIES):
            yield start, min(start + CHUNK_ENTRIES, self.n_entry)

    def type_of(self, branch: str) -> str:
        """The type of a column: `int64`, `uint64`, `float64`, `bool` or `string`.

        Empty where it mixes numbers and text.
        """
        try:
            return str(self._column(branch).type.content)
        except InputError:
            return ""

    def _column(self, name: str) -> Any:
        if name not in self.branches:
            raise InputError(f"{self.path}: there is no column {name}{suggest(name, self.branches)}")
        indices = [index for index, other in enumerate(self._names) if other == name]
        if len(indices) > 1:
            numbers = " and ".join(str(index + 1) for index in indices)
            raise InputError(
                f"{self.path}: the columns {numbers} are both called {name}; rename one of them in the first line."
            )
        if name not in self._columns:
            self._columns[name] = self._convert(name, self._table.column(indices[0]).combine_chunks())
        return self._columns[name]

    def _convert(self, name: str, column: Any) -> Any:
        text = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), r"^\+", "")
        for kind in NUMBERS:
            numbers = _cast(text, kind)
            if numbers is not None:
                return ak.Array(numbers.to_numpy(zero_copy_only=False))
        words = pc.utf8_lower(text)
        if pc.all(pc.is_in(words, pa.array(["true", "false"]))).as_py():
            return ak.Array(np.asarray(pc.equal(words, "true")))
        is_number = np.fromiter(map(_is_number, text.to_pylist()), dtype=np.bool_, count=len(text))
        if 2 * int(is_number.sum()) <= len(text):
            return ak.Array(column.to_pylist())
        entry = int(np.argmin(is_number))
        content = column[entry].as_py().strip()
        what = f"{content[:40]!r} stands" if content else "nothing stands"
        raise InputError(
            f"{self.path}: the column {name} holds numbers, but {what} in line {self._text.line_of(entry)} "
            f"({int((~is_number).sum()):,} such lines). Use a point for decimals, and nan where a number is missing."
        )


def _is_text(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # a character cut in two at the end of the head
    return True


def _cast(text: Any, kind: Any) -> Any:
    try:
        return pc.cast(text, kind)
    except pa.ArrowInvalid:
        return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
