"""HDF5 files as such: opening them, and which datasets they hold; nothing outside the file is ever opened.

A link or a dataset may lead out of the file (external links, virtual datasets, external storage), and a file from
strangers must not make us read others. So links are told apart before they are followed, and a way out is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py

from root_gnn.data.formats.location import Remote
from root_gnn.data.formats.root_file import first_line
from root_gnn.data.formats.sniff import refuse_other_formats
from root_gnn.errors import InputError, suggest

CACHE_BYTES = 32 * 2**20  # per dataset, of decoded storage chunks: one is often larger than HDF5's own 1 MiB
DEEPEST = 32
PANDAS = "pandas_type"
DAMAGED = (OSError, RuntimeError, KeyError, TypeError, ValueError, MemoryError)
"""What h5py raises, depending on which bytes of a file are wrong."""
INDEX_CLASSES = (b"TINDEX", b"INDEX")  # PyTables' search indices


@dataclass
class Contents:
    """What stands below a group: datasets and pandas objects by path, and links that lead nowhere."""

    datasets: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Any] = field(default_factory=dict)
    pandas: dict[str, str] = field(default_factory=dict)
    dangling: dict[str, str] = field(default_factory=dict)
    soft: dict[str, str] = field(default_factory=dict)


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """The open file; raises InputError saying what the file is where it is not HDF5, or is damaged."""
    refuse_other_formats(path, "HDF5")
    try:
        file = h5py.File(
            path.open("rb") if isinstance(path, Remote) else path, "r", locking=False, rdcc_nbytes=CACHE_BYTES
        )
    except OSError as error:
        raise InputError(
            f"{path}: this starts like an HDF5 file but cannot be opened; it is most likely truncated, or was not closed by the program "
            f"that wrote it ({path.stat().st_size:,} bytes). Copy or produce it again. ({first_line(error)})"
        ) from error
    with file:
        yield file


def contents_of(path: Path, file: Any, group: str = "") -> Contents:
    """Everything below a group; raises InputError where there is no such group, or something there leads out of the file."""
    found = Contents()
    with reading(path):
        start = _group(path, file, group)
        _walk(path, start, "", found, seen={start})
        for name, target in found.soft.items():
            _follow(start, name=name, target=target, found=found)
    return found


@contextmanager
def reading(path: Path, what: str = "what the file holds") -> Iterator[None]:
    """Turns what h5py raises at a damaged file into an InputError."""
    try:
        yield
    except DAMAGED as error:
        raise InputError(
            f"{path}: {what} cannot be read; the file is damaged or truncated. ({first_line(error)})"
        ) from error


def _group(path: Path, file: Any, name: str) -> Any:
    place: Any = file
    for part in filter(None, name.split("/")):
        link = place.get(part, getlink=True) if part in list(place) else None
        if isinstance(link, h5py.ExternalLink):
            raise _leads_out(path, name, f"is a link into the file {link.filename}")
        below = place[part] if isinstance(link, h5py.HardLink) else None
        if not isinstance(below, h5py.Group):
            known = [key for key in place if isinstance(place.get(key, getlink=True), h5py.HardLink)]
            raise InputError(
                f"{path}: there is no group {name} in this file (the key group of source){suggest(part, known)}"
            )
        place = below
    return place


def _walk(path: Path, group: Any, prefix: str, found: Contents, *, seen: set[Any]) -> None:
    for key in group:
        name = f"{prefix}{key}"
        link = group.get(key, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise _leads_out(path, name, f"is a link into the file {link.filename}")
        if isinstance(link, h5py.SoftLink):
            found.soft[name] = link.path
            continue
        item = group[key]
        if isinstance(item, h5py.Dataset):
            _refuse_storage_elsewhere(path, name, item)
            if _is_known(item):
                found.datasets[name] = item
        elif isinstance(item, h5py.Group) and item not in seen:  # a group may be linked from within itself
            seen.add(item)
            _enter(path, item, name, found, seen)


def _enter(path: Path, group: Any, name: str, found: Contents, seen: set[Any]) -> None:
    if group.attrs.get("CLASS") in INDEX_CLASSES:
        return
    if name.count("/") > DEEPEST:
        raise InputError(f"{path}: {name} lies more than {DEEPEST} groups deep; this is no file of events.")
    if PANDAS in group.attrs:
        found.pandas[name] = text(group.attrs[PANDAS])
    found.groups[name] = group
    _walk(path, group, f"{name}/", found, seen=seen)


def _follow(start: Any, *, name: str, target: str, found: Contents) -> None:
    """A soft link to a dataset that is there by its own name becomes a second name of it."""
    parent = name.rpartition("/")[0]
    inside = start.name.strip("/")
    full = target.strip("/") if target.startswith("/") else "/".join(filter(None, (inside, parent, target)))
    below = full.removeprefix(f"{inside}/") if inside else full
    if below in found.datasets:
        found.datasets[name] = found.datasets[below]
    elif below not in found.groups:
        found.dangling[name] = target


def _refuse_storage_elsewhere(path: Path, name: str, dataset: Any) -> None:
    if dataset.is_virtual:
        raise _leads_out(path, name, "is a virtual dataset, whose numbers lie elsewhere")
    if dataset.external:
        raise _leads_out(path, name, f"keeps its numbers in the file {dataset.external[0][0]}")


def _is_known(dataset: Any) -> bool:
    """Whether NumPy has a type for the values; some of HDF5's (bit fields, times) are unknown to it."""
    try:
        return dataset.dtype is not None
    except TypeError:
        return False


def _leads_out(path: Path, name: str, what: str) -> InputError:
    return InputError(
        f"{path}: {name} {what}. No file is read but those that were named, since a downloaded one could point anywhere. "
        f"Make one file of them (h5repack, or h5py: read and write the dataset), or name a group without it in the spec's source."
    )


def text(value: Any) -> str:
    """A name kept as an attribute, which writers store as bytes or as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def missing_filter(dataset: Any) -> tuple[int, str] | None:
    """Number and name of a compression filter of the dataset that this HDF5 library cannot undo, if there is one."""
    plist = dataset.id.get_create_plist()
    for place in range(plist.get_nfilters()):
        code, _, _, name = plist.get_filter(place)
        if not h5py.h5z.filter_avail(code):
            return int(code), name.decode("utf-8", "replace")
    return None
