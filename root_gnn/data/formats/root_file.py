"""Opens ROOT files, and lists their trees and branches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uproot
import uproot.source.fsspec

from root_gnn.data.formats.location import Remote
from root_gnn.data.formats.sniff import refuse_other_formats
from root_gnn.errors import InputError

FAVOURITES = (
    "Events",
    "events",
    "CollectionTree",
    "EventData",
    "Delphes",
    "AnalysisMiniTree",
    "tree",
    "nominal",
    "mini",
)
TABLES = ("TTree", "ROOT::RNTuple", "TNtuple", "TNtupleD", "TChain")


@contextmanager
def open_root(path: Path) -> Iterator[Any]:
    """Opens a ROOT file; raises InputError, naming the actual format, where it is another or the file is damaged."""
    refuse_other_formats(path, "ROOT")
    try:
        file = _opened(path)
    except Exception as error:
        raise InputError(
            f"{path}: this starts like a ROOT file but cannot be opened; it is most likely truncated "
            f"({path.stat().st_size:,} bytes). Copy or produce it again. ({first_line(error)})"
        ) from error
    with file:
        expected, size = int(file.file.fEND), path.stat().st_size
        if size < expected:
            raise InputError(
                f"{path}: the file is truncated, {size:,} of {expected:,} bytes are there. Copy or produce it again."
            )
        yield file


def _opened(path: Path) -> Any:
    if isinstance(path, Remote):
        return uproot.open(
            {path.address: None}, handler=uproot.source.fsspec.FSSpecSource, array_cache=None, **path.options()
        )
    return uproot.open({str(path): None}, handler=uproot.MemmapSource, array_cache=None)


def get_tree(path: Path, file: Any, name: str) -> Any:
    """A tree of an open file.

    Raises InputError listing the trees if there is none of that name, or if the tree cannot be read.
    """
    trees = tree_names(file)
    if name not in trees:
        listed = f"it holds: {', '.join(trees)}" if trees else "it holds no tree at all"
        raise InputError(f"{path}: there is no tree {name} in this file; {listed}.")
    try:
        tree = file[name]
        is_known = hasattr(tree, "num_entries")  # which reads the header of an RNTuple
    except Exception as error:
        raise InputError(
            f"{path}: the tree {name} cannot be read, the file is damaged or truncated. ({first_line(error)})"
        ) from error
    if not is_known:
        raise InputError(
            f"{path}: the tree {name} was written by a version of ROOT that uproot cannot read ({type(tree).__name__})."
        )
    return tree


def tree_names(file: Any) -> list[str]:
    """The names of all trees and RNTuples of an open file, with their folders, without older cycles."""
    classes = file.classnames(recursive=True, cycle=False)
    return [name for name, kind in classes.items() if kind in TABLES or kind.endswith("RNTuple")]


def likely_trees(file: Any) -> list[str]:
    """The names of the trees, most likely to hold events first: usual names, then by size (entries times branches).

    Empty trees come last.
    """

    def key(name: str) -> tuple[bool, int, int]:
        try:
            tree = file[name]
            n_entry = int(tree.num_entries)
            width = len(tree.branches) if hasattr(tree, "branches") else len(branch_names(tree))
        except Exception:  # uproot cannot read this tree; opening it reports why
            n_entry = width = 0
        last = name.rpartition("/")[2]
        usual = FAVOURITES.index(last) if last in FAVOURITES else len(FAVOURITES)
        return not n_entry, usual, -n_entry * width

    names = tree_names(file)
    # the key reads the trees, which takes a second for 2,600 branches
    return sorted(names, key=key) if len(names) > 1 else names


def branch_names(tree: Any) -> tuple[str, ...]:
    """The names of the branches of a TTree, sub-branches included, or of the top-level fields of an RNTuple."""
    records = getattr(tree, "field_records", None)
    if records is None:
        return tuple(dict.fromkeys(tree.keys()))
    # only a top-level field is its own parent; uproot's keys() takes seconds for a thousand fields
    return tuple(record.field_name for index, record in enumerate(records) if record.parent_field_id == index)


def first_line(error: Exception) -> str:
    """The type and first line of a library's exception, for the end of a message."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160] if str(error).strip() else 'no message'}"


def type_name(tree: Any, name: str) -> str:
    """The C++ type of a branch; empty if uproot lists the branch but cannot read it."""
    try:
        return str(tree[name].typename)
    except Exception:  # uproot raises many kinds for types and names that it does not know
        return ""
