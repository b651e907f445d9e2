"""Validation of Les Houches event files, and their number of events."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from root_gnn.errors import InputError

_GZIP = b"\x1f\x8b"


def count_events(path: Path) -> int:
    """Number of events of a plain or gzipped Les Houches file.

    Raises InputError where the file is missing, broken, cut short or empty.
    """
    what = f"--lhe {path}: expected a Les Houches event file"
    if not path.is_file():
        raise InputError(f"{what}, but there is no such file")
    with path.open("rb") as stream:
        zipped = stream.read(2) == _GZIP
    if zipped != (path.suffix == ".gz"):
        raise InputError(
            f"{what}: its content is {'' if zipped else 'not '}gzipped, its ending says otherwise; rename it "
            f"{'with' if zipped else 'without'} .gz"
        )
    # To the end of the file: a generator would stop at a torn event only after hours.
    begun = ended = 0
    header = footer = False
    try:
        with gzip.open(path, "rb") if zipped else path.open("rb") as lines:
            for line in lines:
                header = header or b"<LesHouchesEvents" in line
                footer = footer or b"</LesHouchesEvents>" in line
                begun += line.lstrip().startswith((b"<event>", b"<event "))
                ended += b"</event>" in line
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{what}, but it cannot be read to its end ({error}); fetch or write it again") from error
    if not header:
        raise InputError(f"{what}, but it has no <LesHouchesEvents> tag")
    if begun != ended or not footer:
        raise InputError(
            f"{what}, but {begun} events begin, {ended} end, and there is {'a' if footer else 'no'} closing tag: the "
            "file was cut short; fetch or write it again (or append </LesHouchesEvents> where only that is missing)"
        )
    if not begun:
        raise InputError(f"{what}, but it holds no event")
    return begun
