"""The format of a file from its first bytes, and which sources read it; the sources themselves declare both.

Whatever lists formats takes them from here. The formats below are those that no source reads, so that a message can
name them.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from root_gnn.config.plugins import Allowed, config_class, names
from root_gnn.errors import InputError
from root_gnn.protocols import LAST_RESORT, SourceConfig

FAMILY = "data.sources"
GZIP = b"\x1f\x8b"
COMPRESSED = "gzip-compressed "
HEAD = 4096
ZIP_ARCHIVE = "a ZIP archive (PyTorch files are such)"
UNREADABLE = (
    (b"\x93NUMPY", "a NumPy array"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
    (b"HepMC", "HepMC"),
    (b"PK\x03\x04", ZIP_ARCHIVE),
    (b"<!doctype html", "HTML"),
    (b"<html", "HTML"),
)
"""First bytes and names of formats that no source reads; letters in upper or lower case."""
ADVICE = {
    "empty": "the file is empty (0 bytes); it was probably never written to the end",
    "HTML": "it is an HTML page, most likely the error or login page of a server; download it again",
    "unknown": "its first bytes belong to no format known here",
    "HepMC": "it is HepMC: generated events without a detector; simulate one, or write them as ROOT or parquet",
    "a NumPy array": "it is one NumPy array; save it with a name: numpy.savez(file, X=array)",
}


def sources() -> list[type[SourceConfig]]:
    """The sources that declare a format, in their order."""
    classes = (config_class(FAMILY, name, Allowed()) for name in names(FAMILY))
    return sorted(
        (c for c in classes if issubclass(c, SourceConfig) and c.formats), key=lambda c: (c.order, c.__module__)
    )


def format_of(path: Path) -> str:
    """The format by the file's first bytes: one of a source (`ROOT`, `text`), `HTML`, `empty`, `unknown` ...

    A compressed file is `gzip-compressed ...`. Raises InputError where there is no such file, or it cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file.") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: this is a folder; a file was expected.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be opened: {error.strerror}.") from error
    return COMPRESSED + _name(_decompressed_head(path)) if head.startswith(GZIP) else _name(head)


def refuse_other_formats(path: Path, wanted: str) -> None:
    """Raises InputError with the format of the file if it is not `wanted`, the first of a source's `formats`."""
    actual = format_of(path)
    if actual != wanted:
        article = next((source.article for source in sources() if source.formats[0] == wanted), "a")
        raise InputError(f"{path}: {article} {wanted} file was expected; {_description(actual)}.")


def sources_of(path: Path) -> list[type[SourceConfig]]:
    """The sources that may read a file, most likely first; raises InputError with its format if there are none."""
    actual = format_of(path)
    if readers := _readers(actual):
        return readers
    *others, last = dict.fromkeys(source.formats[0] for source in sources())
    raise InputError(f"{path}: a {', '.join(others)} or {last} file was expected; {_description(actual)}.")


def offers(path: Path) -> list[SourceConfig]:
    """The trees or tables of a file, most likely first, from the first source that can read it.

    Raises InputError with the reason of the last source that was tried if none can.
    """
    refusal = InputError(f"{path}: no source reads this format.")
    for source in sources_of(path):
        try:
            return source.found_in(path)
        except InputError as error:
            refusal = error
    if format_of(path).endswith("text"):
        reason = str(refusal).removeprefix(f"{path}: ")
        raise InputError(f"{path}: this is text, but no table of numbers. ({reason})") from refusal
    raise refusal


def meant_for(source: type[SourceConfig], path: Path) -> bool:
    """Whether a source is to read a file: by its format, or by its name alone (a damaged file).

    Any file is meant for a source that declares no format.
    """
    if not source.formats or path.name.lower().endswith(tuple(_endings(source))):
        return True
    return source in _readers(format_of(path))


def without_ending(name: str) -> str:
    """The name of a data file without the ending of its format."""
    known = sorted({ending for source in sources() for ending in _endings(source)}, key=len, reverse=True)
    return next((name[: -len(ending)] for ending in known if name.lower().endswith(ending)), name)


def _endings(source: type[SourceConfig]) -> Iterator[str]:
    for ending in source.endings:
        yield ending
        if source.gzipped:
            yield f"{ending}.gz"


def _readers(actual: str) -> list[type[SourceConfig]]:
    name = actual.removeprefix(COMPRESSED)
    return [s for s in sources() if name in s.formats and (s.gzipped or not actual.startswith(COMPRESSED))]


def _decompressed_head(path: Path) -> bytes:
    try:
        with path.open("rb") as file, gzip.open(file) as stream:
            return stream.read(HEAD)
    except (OSError, EOFError, zlib.error):
        return b""


def _name(head: bytes) -> str:
    if not head:
        return "empty"
    known = sources()
    by_signature = (source.recognise(head) for source in known if source.order < LAST_RESORT)
    start = head.lstrip()[:64].lower()
    unreadable = (name for magic, name in UNREADABLE if start.startswith(magic.lower()))
    by_content = (source.recognise(head) for source in known if source.order >= LAST_RESORT)
    return next((name for names in (by_signature, unreadable, by_content) for name in names if name), "unknown")


def _description(actual: str) -> str:
    if actual in ADVICE:
        return ADVICE[actual]
    name = actual.removeprefix(COMPRESSED)
    source = next((source for source in sources() if name in source.formats), None)
    if source is None:
        return f"it is {actual}"
    if actual.startswith(COMPRESSED) and not source.gzipped:
        return f"it is {source.article} {name} file within gzip; unpack it with gunzip"
    return source.hint or f"it is {actual}"
