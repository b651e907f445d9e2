"""Opens HDF5 files and lists their datasets; nothing outside the file is ever opened.

A link or a dataset may lead out of the file (external links, virtual datasets, external storage), and a file from
strangers must not make us read others. So each link is examined before it is followed, and refused if it leads out.
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
"""The exceptions that h5py raises at damaged files."""
INDEX_CLASSES = (b"TINDEX", b"INDEX")  # PyTables' search indices


@dataclass
class Contents:
    """The contents of a group, by path.

    Attributes:
        datasets: the datasets; soft links to datasets count as further names of them.
        groups: the groups.
        pandas: the kind of each pandas object, as pandas names it.
        dangling: the target of each soft link to nothing.
        soft: the target of each soft link.
    """

    datasets: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Any] = field(default_factory=dict)
    pandas: dict[str, str] = field(default_factory=dict)
    dangling: dict[str, str] = field(default_factory=dict)
    soft: dict[str, str] = field(default_factory=dict)


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """Opens an HDF5 file; raises InputError, naming the actual format, where it is another or the file is damaged."""
    refuse_other_formats(path, "HDF5")
    try:
        file = h5py.File(
            path.open("rb") if isinstance(path, Remote) else path, "r", locking=False, rdcc_nbytes=CACHE_BYTES
        )
    except OSError as error:
        raise InputError(
            f"{path}: this starts like an HDF5 file but cannot be opened; it is most likely truncated, or was not "
            f"closed by the program that wrote it ({path.stat().st_size:,} bytes). Copy or produce it again. "
            f"({first_line(error)})"
        ) from error
    with file:
        yield file


def contents_of(path: Path, file: Any, group: str = "") -> Contents:
    """The contents of a group, by default of the whole file.

    Raises InputError if there is no such group, or a link or dataset in it leads out of the file.
    """
    contents = Contents()
    with convert_read_errors(path):
        start = _group(path, file, group)
        _walk(path, start, "", contents, visited={start})
        for name, target in contents.soft.items():
            _follow(start, name=name, target=target, contents=contents)
    return contents


@contextmanager
def convert_read_errors(path: Path, what: str = "what the file holds") -> Iterator[None]:
    """Turns the exceptions of h5py at a damaged file into InputError; `what` names the damaged part."""
    try:
        yield
    except DAMAGED as error:
        raise InputError(
            f"{path}: {what} cannot be read; the file is damaged or truncated. ({first_line(error)})"
        ) from error


def _group(path: Path, file: Any, name: str) -> Any:
    group: Any = file
    for part in filter(None, name.split("/")):
        link = group.get(part, getlink=True) if part in list(group) else None
        if isinstance(link, h5py.ExternalLink):
            raise _leads_out(path, name, f"is a link into the file {link.filename}")
        below = group[part] if isinstance(link, h5py.HardLink) else None
        if not isinstance(below, h5py.Group):
            known = [key for key in group if isinstance(group.get(key, getlink=True), h5py.HardLink)]
            raise InputError(
                f"{path}: there is no group {name} in this file (the key group of source){suggest(part, known)}"
            )
        group = below
    return group


def _walk(path: Path, group: Any, prefix: str, contents: Contents, *, visited: set[Any]) -> None:
    """Adds everything below a group to `contents`, without following soft links.

    Args:
        path: the file, for messages.
        group: the group of h5py.
        prefix: the path of the group, which begins every name below it; empty or ending in `/`.
        contents: what is added to.
        visited: the groups visited so far, since a group may be linked from within itself.

    Raises InputError where a link or dataset leads out of the file.
    """
    for key in group:
        name = f"{prefix}{key}"
        link = group.get(key, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise _leads_out(path, name, f"is a link into the file {link.filename}")
        if isinstance(link, h5py.SoftLink):
            contents.soft[name] = link.path
            continue
        item = group[key]
        if isinstance(item, h5py.Dataset):
            _refuse_storage_elsewhere(path, name, item)
            if _is_known(item):
                contents.datasets[name] = item
        elif isinstance(item, h5py.Group) and item not in visited:
            visited.add(item)
            _enter(path, item, name, contents, visited)


def _enter(path: Path, group: Any, name: str, contents: Contents, visited: set[Any]) -> None:
    """Adds a group, its pandas object if it is one, and everything below it to `contents`.

    Args:
        path: the file, for messages.
        group: the group of h5py.
        name: its path.
        contents: what is added to.
        visited: the groups visited so far.

    Raises InputError where groups are nested too deeply, or something leads out of the file.
    """
    if group.attrs.get("CLASS") in INDEX_CLASSES:
        return
    if name.count("/") > DEEPEST:
        raise InputError(f"{path}: {name} lies more than {DEEPEST} groups deep; this is no file of events.")
    if PANDAS in group.attrs:
        contents.pandas[name] = decoded_text(group.attrs[PANDAS])
    contents.groups[name] = group
    _walk(path, group, f"{name}/", contents, visited=visited)


def _follow(start: Any, *, name: str, target: str, contents: Contents) -> None:
    """Makes a soft link to a known dataset a second name of it; a link to nothing is noted as dangling."""
    parent = name.rpartition("/")[0]
    inside = start.name.strip("/")
    full = target.strip("/") if target.startswith("/") else "/".join(filter(None, (inside, parent, target)))
    below = full.removeprefix(f"{inside}/") if inside else full
    if below in contents.datasets:
        contents.datasets[name] = contents.datasets[below]
    elif below not in contents.groups:
        contents.dangling[name] = target


def _refuse_storage_elsewhere(path: Path, name: str, dataset: Any) -> None:
    if dataset.is_virtual:
        raise _leads_out(path, name, "is a virtual dataset, whose numbers lie elsewhere")
    if dataset.external:
        raise _leads_out(path, name, f"keeps its numbers in the file {dataset.external[0][0]}")


def _is_known(dataset: Any) -> bool:
    """Whether NumPy has a type for the values; it has none for some types of HDF5 (bit fields, times)."""
    try:
        return dataset.dtype is not None
    except TypeError:
        return False


def _leads_out(path: Path, name: str, what: str) -> InputError:
    return InputError(
        f"{path}: {name} {what}. Only files that were named are read, since a downloaded one could point anywhere. "
        "Make one file of them (h5repack, or h5py: read and write the dataset), or name a group without it in the "
        "spec's source."
    )


def decoded_text(value: Any) -> str:
    """The text of an attribute, which writers store as bytes or as a string."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def missing_filter(dataset: Any) -> tuple[int, str] | None:
    """Number and name of a compression filter of the dataset that this HDF5 library cannot decode, or None."""
    plist = dataset.id.get_create_plist()
    for index in range(plist.get_nfilters()):
        code, _, _, name = plist.get_filter(index)
        if not h5py.h5z.filter_avail(code):
            return int(code), name.decode("utf-8", "replace")
    return None
