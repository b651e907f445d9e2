"""ROOT files: a TTree or an RNTuple, read with uproot by explicit branch names, a range of entries at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from root_gnn.data.sniff import refuse_other_formats
from root_gnn.errors import InputError, suggest
from root_gnn.protocols import Source, SourceConfig

CHUNK_BYTES = 64 * 2**20  # uncompressed, of the branches that are read
CHUNK_ENTRIES = 200_000  # where the file does not tell sizes (RNTuple)
SMALLEST_CHUNK = 1_000
METADATA_TREE = "metadata"
SCALAR = (str, int, float, np.number)
TABLES = ("TTree", "ROOT::RNTuple", "TNtuple", "TNtupleD", "TChain")


class Config(SourceConfig):
    """A ROOT file: the name of the TTree or RNTuple, with its folder inside the file where it has one."""

    tree: str

    def build(self) -> Root:
        """A reader of `tree`."""
        return Root(self.tree)


class Root(Source):
    """Reads one tree of ROOT files."""

    def __init__(self, tree: str) -> None:
        self.tree = tree

    def n_entry(self, path: Path) -> int:
        """Entries of the tree."""
        with open_tree(path, self.tree) as tree:
            return int(tree.num_entries)

    def branches(self, path: Path) -> tuple[str, ...]:
        """Names of all branches or fields, sub-branches under their own names."""
        with open_tree(path, self.tree) as tree:
            return tuple(dict.fromkeys(tree.keys()))

    def read(self, path: Path, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named branches of entries `start .. stop - 1`; raises InputError naming one that is missing or can't be read."""
        with open_tree(path, self.tree) as tree:
            _refuse_missing(path, self.tree, branches, tree.keys())
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
        return {name: value.item() if hasattr(value, "item") else value for name, value in row.items() if isinstance(value, SCALAR)}


@contextmanager
def open_root(path: Path) -> Iterator[Any]:
    """The open ROOT file; raises InputError saying what the file is where it is none, or is damaged."""
    refuse_other_formats(path, "ROOT")
    try:
        file = uproot.open({str(path): None})
    except Exception as error:
        raise InputError(
            f"{path}: this starts like a ROOT file but cannot be opened; it is most likely truncated "
            f"({path.stat().st_size:,} bytes). Copy or produce it again. ({_first_line(error)})"
        ) from error
    with file:
        yield file


@contextmanager
def open_tree(path: Path, name: str) -> Iterator[Any]:
    """The open TTree or RNTuple; raises InputError listing the trees where there is none of that name."""
    with open_root(path) as file:
        trees = tree_names(file)
        if name not in trees:
            listed = f"it holds: {', '.join(trees)}" if trees else "it holds no tree at all"
            raise InputError(f"{path}: there is no tree {name} in this file; {listed}. Set source.tree in the data spec.")
        try:
            tree = file[name]
        except Exception as error:
            raise InputError(f"{path}: the tree {name} cannot be read, the file is damaged or truncated. ({_first_line(error)})") from error
        if not hasattr(tree, "num_entries"):
            raise InputError(f"{path}: the tree {name} was written by a version of ROOT that uproot cannot read ({type(tree).__name__}).")
        yield tree


def tree_names(file: Any) -> list[str]:
    """The trees and RNTuples of an open file, folders included, each once."""
    classes = file.classnames(recursive=True, cycle=False)
    return [name for name, kind in classes.items() if kind in TABLES or kind.endswith("RNTuple")]


def _refuse_missing(path: Path, tree: str, wanted: tuple[str, ...], known: list[str]) -> None:
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
            f"branch has a type that uproot does not know. ({_first_line(error)})"
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


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160] if str(error).strip() else 'no message'}"
