"""ROOT files: a TTree or an RNTuple, read with uproot by explicit branch names, a range of entries at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, Self

import awkward as ak
import numpy as np

from root_gnn.data.rootfile import branch_names, first_line, get_tree, open_root, tree_names
from root_gnn.errors import InputError, suggest
from root_gnn.protocols import Source, SourceConfig

CHUNK_BYTES = 64 * 2**20  # uncompressed, of the branches that are read
CHUNK_ENTRIES = 200_000  # where the file does not tell sizes (RNTuple)
SMALLEST_CHUNK = 1_000
METADATA_TREE = "metadata"


class Config(SourceConfig):
    """A ROOT file: the name of the TTree or RNTuple, with its folder inside the file where it has one."""

    tree: str

    @contextmanager
    def open(self, path: Path) -> Iterator[Root]:
        """The tree of a file; raises InputError where the file is no ROOT file, is damaged, or has no such tree."""
        with open_root(path) as file:
            yield Root(path, file, get_tree(path, file, self.tree))

    @classmethod
    def found_in(cls, path: Path) -> list[Self]:
        """One source for each tree, in the order of the file."""
        with open_root(path) as file:
            return [cls(name="root", tree=tree) for tree in tree_names(file)]


class Root(Source):
    """One tree of an open ROOT file."""

    def __init__(self, path: Path, file: Any, tree: Any) -> None:
        self.path, self._file, self._tree = path, file, tree
        self.n_entry = int(tree.num_entries)
        self.branches = branch_names(tree)

    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named branches of entries `start .. stop - 1`; raises InputError naming one that is missing or can't be read."""
        missing = [name for name in branches if name not in self.branches]
        if missing:
            raise InputError(f"{self.path}: the tree {self._tree.name} has no branch {missing[0]}{suggest(missing[0], self.branches)}")
        return {name: _read_branch(self.path, self._tree, name, start, stop) for name in branches}

    def chunks(self, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Ranges of entries whose branches take about `CHUNK_BYTES`."""
        step = _entries_per_chunk(self._tree, branches, self.n_entry)
        for start in range(0, self.n_entry, step):
            yield start, min(start + step, self.n_entry)

    def type_of(self, branch: str) -> str:
        """The type of one entry in awkward's words; empty where uproot cannot read the branch."""
        try:
            return str(self._tree[branch].array(entry_stop=0, library="ak").type.content)
        except Exception:  # uproot raises many kinds for types and names that it does not know
            return ""

    def metadata(self) -> dict[str, Any]:
        """The first row of the tree `metadata`, where the file has one; infinities and NaN are left out."""
        if METADATA_TREE not in self._file:
            return {}
        tree = self._file[METADATA_TREE]
        if tree.num_entries < 1:
            return {}
        row = {name: tree[name].array(entry_stop=1)[0] for name in tree.keys()}  # noqa: SIM118 a tree is no dict
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
        return {name: value for name, value in plain.items() if isinstance(value, str | int | float) and not _is_infinite(value)}


def _is_infinite(value: str | int | float) -> bool:
    return isinstance(value, float) and not isfinite(value)


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
