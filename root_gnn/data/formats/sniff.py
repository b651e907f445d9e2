"""What a file is, from its first bytes: so that a wrong one is called by its name."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from root_gnn.errors import InputError

LES_HOUCHES_TAG = b"<LesHouchesEvents"
MAGIC = (
    (b"root", "ROOT"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"PAR1", "parquet"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
    (LES_HOUCHES_TAG, "LHE"),
    (b"HepMC", "HepMC"),
)
LES_HOUCHES = (
    "it is a Les Houches file of hard events: shower it with `root-gnn simulate --lhe FILE --out DIR`, or read its partons with the spec "
    "lhe_partons"
)
GZIP = b"\x1f\x8b"
ZIP, ZIPPED_ARRAYS = "a ZIP archive (PyTorch files are such)", "a ZIP archive of NumPy arrays"
SOURCES = {
    "ROOT": ("root",),
    "HDF5": ("pandas_table", "hdf5"),
    "parquet": ("parquet",),
    ZIPPED_ARRAYS: ("npz",),
    "LHE": ("lhe",),
    "CSV": ("csv",),
    "text": ("csv",),
    "gzip-compressed LHE": ("lhe",),
    "gzip-compressed CSV": ("csv",),
    "gzip-compressed text": ("csv",),
}
"""By format, the sources that may read a file, the one to be tried first first."""
ENDINGS = {
    "root": (".root",),
    "pandas_table": (".h5", ".hdf5", ".hdf"),
    "hdf5": (".h5", ".hdf5", ".hdf"),
    "parquet": (".parquet", ".pq"),
    "npz": (".npz",),
    "lhe": (".lhe", ".lhe.gz"),
    "csv": (".csv", ".csv.gz"),
}
"""By source, how the names of its files end."""
HEAD = 4096
ZIP_MAGIC = b"PK\x03\x04"
ZIP_NAME = 30  # where the name of an archive's first member begins; its length stands at 26


def format_of(path: Path) -> str:
    """What the file's first bytes say: `ROOT`, `HDF5`, `parquet`, `LHE`, `HTML`, `text`, `empty`, `unknown` ...

    Raises InputError where there is no such file, or it cannot be opened.
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
    if head.startswith(GZIP):
        return f"gzip-compressed {_name(_unzipped(path))}"
    return _name(head)


def _unzipped(path: Path) -> bytes:
    try:
        with path.open("rb") as file, gzip.open(file) as unzipped:
            return unzipped.read(HEAD)
    except (OSError, EOFError, zlib.error):
        return b""


def _name(head: bytes) -> str:
    if not head:
        return "empty"
    for magic, name in MAGIC:
        if head.lstrip().startswith(magic):
            return name
    if head.startswith(ZIP_MAGIC):
        first = head[ZIP_NAME : ZIP_NAME + int.from_bytes(head[26:28], "little")]
        return ZIPPED_ARRAYS if first.endswith(b".npy") else ZIP
    if LES_HOUCHES_TAG in head and head.lstrip().startswith((b"<?xml", b"<!--")):
        return "LHE"
    start = head.lstrip()[:64].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    if b"\0" not in head and _is_text(head):
        return "CSV" if b"," in head.partition(b"\n")[0] else "text"
    return "unknown"


def _is_text(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # a character cut in two at the end of the head
    return True


def refuse_other_formats(path: Path, wanted: str) -> None:
    """Raises InputError saying what the file is where it is not `wanted`."""
    found = format_of(path)
    if found == wanted:
        return
    meaning = LES_HOUCHES if wanted == "ROOT" and found.endswith("LHE") else _meaning(found)
    article = "an" if wanted in ("HDF5", "LHE") else "a"
    raise InputError(f"{path}: {article} {wanted} file was expected; {meaning}.")


def sources_of(path: Path) -> tuple[str, ...]:
    """The sources that may read a file, the one to be tried first first; raises InputError saying what it is where none does."""
    found = format_of(path)
    if found not in SOURCES:
        raise InputError(f"{path}: a ROOT, HDF5, parquet, npz, LHE or CSV file was expected; {_meaning(found)}.")
    return SOURCES[found]


def meant_for(source: str, path: Path) -> bool:
    """Whether a source is to read a file: the file has its format, or a name that ends so (a broken one); True for an unknown source."""
    if source not in ENDINGS or path.name.lower().endswith(ENDINGS[source]):
        return True
    return source in SOURCES.get(format_of(path), ())


def _meaning(found: str) -> str:
    return {
        "empty": "the file is empty (0 bytes); it was probably never written to the end",
        "HTML": "it is an HTML page, most likely the error or login page of a server; download it again",
        "unknown": "its first bytes belong to no format known here",
        "HepMC": "it is HepMC: events as they are generated, without a detector; run one over them, or write them as ROOT or parquet",
        "a NumPy array": "it is one NumPy array; save it with a name: numpy.savez(file, X=array)",
        "gzip-compressed ROOT": "it is a ROOT file within gzip; unpack it with gunzip",
        "gzip-compressed HDF5": "it is an HDF5 file within gzip; unpack it with gunzip",
    }.get(found, f"it is {found}")
