"""ROOT files as such: opening them, and what trees and branches they hold."""

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
    """The open ROOT file; raises InputError saying what the file is where it is none, or is damaged."""
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
    """A tree of an open file; raises InputError listing the trees where there is none of that name."""
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
    """The trees and RNTuples of an open file, folders included, each once."""
    classes = file.classnames(recursive=True, cycle=False)
    return [name for name, kind in classes.items() if kind in TABLES or kind.endswith("RNTuple")]


def likely_trees(file: Any) -> list[str]:
    """The trees, the most likely to hold events first: those with a usual name, then by the numbers they hold, empty ones last."""

    def key(name: str) -> tuple[bool, int, int]:
        try:
            tree = file[name]
            n_entry = int(tree.num_entries)
            width = len(tree.branches) if hasattr(tree, "branches") else len(branch_names(tree))
        except Exception:  # a tree that uproot cannot read; it is said why when it is asked for
            n_entry = width = 0
        last = name.rpartition("/")[2]
        usual = FAVOURITES.index(last) if last in FAVOURITES else len(FAVOURITES)
        return not n_entry, usual, -n_entry * width

    names = tree_names(file)
    return sorted(names, key=key) if len(names) > 1 else names  # reading a tree of 2,600 branches takes a second


def branch_names(tree: Any) -> tuple[str, ...]:
    """Names of the branches of a TTree, sub-branches too, or of the top-level fields of an RNTuple."""
    records = getattr(tree, "field_records", None)
    if records is None:
        return tuple(dict.fromkeys(tree.keys()))
    # a field that is its own parent is a top-level one; uproot's keys() takes seconds for a thousand fields
    return tuple(record.field_name for place, record in enumerate(records) if record.parent_field_id == place)


def first_line(error: Exception) -> str:
    """Kind and first line of an error of a library, for the end of a message."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:160] if str(error).strip() else 'no message'}"


def type_name(tree: Any, name: str) -> str:
    """C++ type of a branch; empty where uproot lists the branch but cannot find or read it."""
    try:
        return str(tree[name].typename)
    except Exception:  # uproot raises many kinds for types and names that it does not know
        return ""
