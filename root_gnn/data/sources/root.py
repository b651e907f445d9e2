"""ROOT files: a TTree or an RNTuple, read with uproot by explicit branch names, a range of entries at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from root_gnn.data.rootfile import branch_names, first_line, open_root, open_tree
from root_gnn.errors import InputError, suggest
from root_gnn.protocols import Source, SourceConfig

CHUNK_BYTES = 64 * 2**20  # uncompressed, of the branches that are read
CHUNK_ENTRIES = 200_000  # where the file does not tell sizes (RNTuple)
SMALLEST_CHUNK = 1_000
METADATA_TREE = "metadata"


class Config(SourceConfig):
    """A ROOT file: the name of the TTree or RNTuple, with its folder inside the file where it has one."""

    tree: str

    def build(self) -> Root:
        """A reader of `tree`."""
        return Root(self.tree)


@dataclass(frozen=True)
class Facts:
    """What opening a tree tells, kept so that a large file is not parsed for every question."""

    size: int
    time: int
    n_entry: int
    branches: tuple[str, ...]


class Root(Source):
    """Reads one tree of ROOT files."""

    def __init__(self, tree: str) -> None:
        self.tree = tree
        self._known: dict[Path, Facts] = {}

    def n_entry(self, path: Path) -> int:
        """Entries of the tree."""
        return self._facts(path).n_entry

    def branches(self, path: Path) -> tuple[str, ...]:
        """Names of all branches (sub-branches too) or fields."""
        return self._facts(path).branches

    def _facts(self, path: Path) -> Facts:
        known = self._known.get(path)
        status = path.stat() if path.exists() else None
        if known is None or status is None or (known.size, known.time) != (status.st_size, status.st_mtime_ns):
            with open_tree(path, self.tree) as tree:
                status = path.stat()
                known = Facts(status.st_size, status.st_mtime_ns, int(tree.num_entries), branch_names(tree))
            self._known[path] = known
        return known

    def read(self, path: Path, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named branches of entries `start .. stop - 1`; raises InputError naming one that is missing or can't be read."""
        _refuse_missing(path, self.tree, branches, self.branches(path))
        with open_tree(path, self.tree) as tree:
            return {name: _read_branch(path, tree, name, start, stop) for name in branches}

    def chunks(self, path: Path, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Ranges of entries whose branches take about `CHUNK_BYTES`."""
        with open_tree(path, self.tree) as tree:
            n_entry = int(tree.num_entries)
            step = _entries_per_chunk(tree, branches, n_entry)
        for start in range(0, n_entry, step):
            yield start, min(start + step, n_entry)

    def metadata(self, path: Path) -> dict[str, Any]:
        """The first row of the tree `metadata`, where the file has one."""
        with open_root(path) as file:
            if METADATA_TREE not in file:
                return {}
            tree = file[METADATA_TREE]
            if tree.num_entries < 1:
                return {}
            row = {name: tree[name].array(entry_stop=1)[0] for name in tree.keys()}  # noqa: SIM118 a tree is no dict
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
        return {name: value for name, value in plain.items() if isinstance(value, str | int | float) and not _is_infinite(value)}


def _is_infinite(value: str | int | float) -> bool:
    return isinstance(value, float) and not isfinite(value)


def _refuse_missing(path: Path, tree: str, wanted: tuple[str, ...], known: tuple[str, ...]) -> None:
    there = set(known)
    for name in wanted:
        if name not in there:
            raise InputError(f"{path}: the tree {tree} has no branch {name}{suggest(name, known)}")


def _read_branch(path: Path, tree: Any, name: str, start: int, stop: int) -> Any:
    try:
        array = tree[name].array(entry_start=start, entry_stop=stop, library="ak")
    except Exception as error:
        raise InputError(
            f"{path}: branch {name} cannot be read for entries {start} to {stop - 1}; the file is damaged or truncated, or the "
            f"branch has a type that uproot does not know. ({first_line(error)})"
        ) from error
    if len(array) != stop - start:
        raise InputError(f"{path}: branch {name} has {len(array)} of the entries {start} to {stop - 1}; the file is damaged or truncated.")
    return ak.Array(array)


def _entries_per_chunk(tree: Any, branches: tuple[str, ...], n_entry: int) -> int:
    sizes = [getattr(tree[name], "uncompressed_bytes", None) for name in branches]
    known = [int(size) for size in sizes if size is not None]
    if len(known) < len(branches) or not sum(known):
        return CHUNK_ENTRIES
    return max(SMALLEST_CHUNK, int(n_entry * CHUNK_BYTES / sum(known)))
