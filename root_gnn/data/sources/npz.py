"""NumPy's .npz archives, one array (`y`) or one column of its last axis (`X.0`) a branch.

Nothing in them is ever unpickled.

Arrays that were stored uncompressed are mapped into memory; compressed ones are decompressed as they are read, from
front to back.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections import Counter as Votes
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.formats.fixed_rows import NUMBERS, check_range, chunks_of, column_names, to_awkward, type_text
from root_gnn.data.formats.location import Remote
from root_gnn.data.formats.root_file import first_line
from root_gnn.data.formats.sniff import ZIP_ARCHIVE, format_of, refuse_other_formats
from root_gnn.errors import InputError, suggest
from root_gnn.protocols import Source, SourceConfig

ZIP_MAGIC = b"PK\x03\x04"
ZIP_NAME = 30  # where the name of an archive's first member begins; its length stands at 26
SUFFIX = ".npy"
# bytes of a ZIP member's own header before its name; the two last numbers are the lengths of name and extra field
LOCAL_HEADER = 30
BLOCK = 2**22
BROKEN = (
    zipfile.BadZipFile,
    OSError,
    ValueError,
    EOFError,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    TypeError,
    MemoryError,
    tokenize.TokenError,
)


@dataclass(frozen=True)
class Member:
    """One array of an archive.

    Attributes:
        info: the member of the archive.
        dtype: the type of its numbers.
        shape: the shape of the array.
        by_columns: whether it is stored in Fortran order.
        head: the bytes of the header in front of the numbers.
    """

    info: zipfile.ZipInfo
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    by_columns: bool
    head: int

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self.dtype.itemsize * prod(self.shape[1:])


class Config(SourceConfig):
    """An .npz archive."""

    formats: ClassVar = ("npz",)
    article: ClassVar = "an"
    endings: ClassVar = (".npz",)
    order: ClassVar = 40
    hint: ClassVar = "it is a ZIP archive of NumPy arrays (npz)"

    @classmethod
    def recognise(cls, head: bytes) -> str:
        """`npz` where the bytes start a ZIP archive whose first member is a NumPy array."""
        if not head.startswith(ZIP_MAGIC):
            return ""
        first = head[ZIP_NAME : ZIP_NAME + int.from_bytes(head[26:28], "little")]
        return "npz" if first.endswith(SUFFIX.encode()) else ""

    @contextmanager
    def open(self, path: Path) -> Iterator[Npz]:
        """The arrays of a file; raises InputError where it is no .npz archive, or is damaged."""
        if format_of(path) != ZIP_ARCHIVE:  # such a file is told below that it holds no array
            refuse_other_formats(path, "npz")
        with ExitStack() as stack:
            try:
                archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(path.open("rb"))))
                members = {info.filename.removesuffix(SUFFIX): _member(archive, info) for info in _arrays(archive)}
            except BROKEN as error:
                raise InputError(
                    f"{path}: this starts like an .npz archive but cannot be opened; it is most likely truncated "
                    f"({path.stat().st_size:,} bytes). Copy or produce it again. ({first_line(error)})"
                ) from error
            yield Npz(path, archive, members, stack)

    @classmethod
    def found_in(cls, path: Path) -> list[Self]:
        """The archive itself; raises InputError where it cannot be opened."""
        with cls().open(path):
            return [cls()]


class Npz(Source):
    """The arrays of an open archive."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, members: dict[str, Member], stack: ExitStack) -> None:
        self.path, self._archive, self._stack = path, archive, stack
        self._members = {name: member for name, member in members.items() if member.shape}
        self._branches = {
            key: (name, column)
            for name, member in self._members.items()
            if member.dtype.kind in NUMBERS
            for key, column in column_names(name, member.shape[1:])
        }
        self._refused = {
            name: member.dtype for name, member in self._members.items() if member.dtype.kind not in NUMBERS
        }
        if not self._branches:
            held = (
                f"; it holds {', '.join(members)}"
                if members
                else "; it holds no .npy file (PyTorch's files are ZIP archives too)"
            )
            raise InputError(f"{path}: an .npz archive with arrays of numbers was expected{held}.")
        self.branches = (*self._branches, *self._refused)
        votes = Votes(self._members[name].shape[0] for name, _ in self._branches.values())
        self.n_entry = max(rows for rows, count in votes.items() if count == max(votes.values()))
        self._opened: dict[str, Any] = {}

    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named branches of entries `start .. stop - 1`.

        Raises InputError naming a branch that is missing or cannot be read.
        """
        check_range(self.path, start, stop, self.n_entry)
        wanted = {name: self._find(name) for name in branches}
        arrays = {name: self._rows(name, start, stop) for name in dict.fromkeys(array for array, _ in wanted.values())}
        return {
            name: to_awkward(arrays[array] if column is None else arrays[array][..., column])
            for name, (array, column) in wanted.items()
        }

    def chunks(self, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Ranges of entries that take about 64 MiB."""
        arrays = {self._find(name)[0] for name in branches}
        return chunks_of(self.n_entry, sum(self._members[name].row_bytes for name in arrays))

    def type_of(self, branch: str) -> str:
        """The type of one entry in awkward's notation; empty unless the array has one row per entry."""
        if branch not in self._branches:
            return ""
        name, column = self._branches[branch]
        member = self._members[name]
        if member.shape[0] != self.n_entry:
            return ""
        return type_text(member.dtype, member.shape[1:] if column is None else member.shape[1:-1])

    def _find(self, name: str) -> tuple[str, int | None]:
        if name in self._refused:
            dtype = self._refused[name]
            pickled = (
                "; Python objects are pickled, and unpickling runs code of whoever made the file"
                if dtype.hasobject
                else ""
            )
            raise InputError(
                f"{self.path}: {name} holds {dtype}, not numbers{pickled}. Save it as an array of numbers, padded "
                "where lists differ in length."
            )
        if name not in self._branches:
            raise InputError(f"{self.path}: there is no array {name} in this file{suggest(name, self.branches)}")
        array = self._branches[name][0]
        rows = self._members[array].shape[0]
        if rows != self.n_entry:
            like = next(key for key, member in self._members.items() if member.shape[0] == self.n_entry)
            raise InputError(
                f"{self.path}: {array} has {rows} rows, but the file has {self.n_entry} entries (as {like}); every "
                "array that is read needs one row per entry. Produce the file again."
            )
        return self._branches[name]

    def _rows(self, name: str, start: int, stop: int) -> NDArray[Any]:
        member = self._members[name]
        try:
            if name not in self._opened:
                self._opened[name] = self._open(member)
            opened = self._opened[name]
            if isinstance(opened, np.ndarray):
                return opened[start:stop]
            # seeking forward decompresses what lies between; backward starts from the front
            opened.seek(member.head + start * member.row_bytes)
            packed = opened.read((stop - start) * member.row_bytes)
            return np.frombuffer(packed, dtype=member.dtype).reshape(stop - start, *member.shape[1:])
        except BROKEN as error:
            raise InputError(
                f"{self.path}: {name} cannot be read at rows {start} to {stop - 1}; the file is damaged or truncated. "
                f"({first_line(error)})"
            ) from error

    def _open(self, member: Member) -> Any:
        """The array mapped into memory, or a stream if it is compressed.

        A compressed array in Fortran order is decompressed as a whole.
        """
        order: Any = "F" if member.by_columns else "C"
        on_disk = not isinstance(self.path, Remote)
        if on_disk and member.info.compress_type == zipfile.ZIP_STORED and member.info.file_size > member.head:
            start = _start_of(self.path, member.info)
            _check_sum(self.path, member.info, start)
            return np.memmap(
                self.path, dtype=member.dtype, mode="r", offset=start + member.head, shape=member.shape, order=order
            )
        stream = self._stack.enter_context(self._archive.open(member.info))
        if not member.by_columns:
            return stream
        stream.seek(member.head)
        return np.frombuffer(stream.read(), dtype=member.dtype).reshape(member.shape, order=order)


def _arrays(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [info for info in archive.infolist() if info.filename.endswith(SUFFIX)]


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    """Reads the header of an array; raises ValueError if the size of the member contradicts it."""
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(stream)
        head = stream.tell()
    if not dtype.hasobject and info.file_size != head + dtype.itemsize * prod(shape):
        raise ValueError(
            f"{info.filename} has {info.file_size} bytes where {head + dtype.itemsize * prod(shape)} were expected"
        )
    return Member(info=info, dtype=dtype, shape=shape, by_columns=by_columns and len(shape) > 1, head=head)


def _start_of(path: Path, info: zipfile.ZipInfo) -> int:
    """The byte of the file where the member's content begins; raises ValueError if it exceeds the file."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(LOCAL_HEADER)
    lengths = (int.from_bytes(header[-4:-2], "little"), int.from_bytes(header[-2:], "little"))
    start = info.header_offset + LOCAL_HEADER + sum(lengths)
    if start + info.file_size > path.stat().st_size:
        raise ValueError(f"{info.filename} reaches beyond the end of the file")
    return start


def _check_sum(path: Path, info: zipfile.ZipInfo, start: int) -> None:
    """Raises ValueError if the content of a member contradicts its checksum."""
    crc, left = 0, info.file_size
    with path.open("rb") as file:
        file.seek(start)
        while left:
            block = file.read(min(left, BLOCK))
            crc, left = zlib.crc32(block, crc), left - len(block)
    if crc != info.CRC:
        raise ValueError(f"the checksum of {info.filename} is wrong")
