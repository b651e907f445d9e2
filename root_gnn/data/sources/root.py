"""ROOT files: TTrees and RNTuples, read with uproot by explicit branch names, a range of entries at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import awkward as ak
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from root_gnn.config.section import Section, Words
from root_gnn.data.formats.root_branches import RootLeaf, leaves_of
from root_gnn.data.formats.root_file import first_line, get_tree, likely_trees, open_root, tree_names
from root_gnn.data.reading.selection import TREE
from root_gnn.errors import InputError, suggest
from root_gnn.protocols import Source, SourceConfig

CHUNK_BYTES = 8 * 2**20  # uncompressed, of the branches that are read
CHUNK_ENTRIES = 200_000  # where the file does not tell sizes (RNTuple)
SMALLEST_CHUNK = 1_000
METADATA_TREE = "metadata"

Names = Annotated[Words, Field(min_length=1)]


class SumOfWeights(Section):
    """The sum of weights of the sample that a file was skimmed from: a branch of one number per row, summed over rows.

    Attributes:
        tree: the tree with the branch (nanoAOD's `Runs`).
        branch: the branch, or alternatives, of which the first that the tree has is read.
        optional: whether files (collision data) may lack it.
    """

    tree: str
    branch: Names
    optional: bool = False


class Config(SourceConfig):
    """A ROOT file, read from a TTree or RNTuple, or from a list of them.

    A tree in a folder of the file is named with the folder. The trees of a list are read one after another as one
    sequence of entries, and a branch `tree` numbers them from 0.
    """

    formats: ClassVar = ("ROOT",)
    magic: ClassVar = (b"root",)
    endings: ClassVar = (".root",)
    order: ClassVar = 10

    tree: str | tuple[str, ...]
    sum_of_weights: SumOfWeights | None = None

    @field_validator("tree")
    @classmethod
    def _different_trees(cls, tree: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not tree or (not isinstance(tree, str) and len(set(tree)) < len(tree)):
            raise ValueError("name a tree, or a list of different ones")
        return tree

    @property
    def trees(self) -> tuple[str, ...]:
        """The trees of a list; empty for a single tree."""
        return () if isinstance(self.tree, str) else self.tree

    @contextmanager
    def open(self, path: Path) -> Iterator[Root]:
        """The trees of a file; raises InputError where the file is no ROOT file, is damaged, or has no such tree."""
        with open_root(path) as file:
            tables = [_Table(path, get_tree(path, file, name)) for name in self.trees or (str(self.tree),)]
            yield Root(path, file, tables, counts_trees=bool(self.trees), sum_of_weights=self.sum_of_weights)

    @classmethod
    def found_in(cls, path: Path) -> list[Self]:
        """One source for each tree, the most likely to hold events first."""
        with open_root(path) as file:
            return [cls(tree=tree) for tree in likely_trees(file)]


class Root(Source):
    """The trees of an open ROOT file, as one sequence of entries."""

    def __init__(
        self, path: Path, file: Any, tables: list[_Table], *, counts_trees: bool, sum_of_weights: SumOfWeights | None
    ) -> None:
        """Joins the trees of a file.

        Args:
            path: the file, for messages.
            file: the file, opened by uproot.
            tables: its trees.
            counts_trees: whether a branch `tree` numbers them.
            sum_of_weights: the branch of the sum of weights, or None.

        Raises InputError where a tree has a branch `tree` of its own although they are numbered.
        """
        self.path, self._file, self._tables, self._sum_of_weights = path, file, tables, sum_of_weights
        self._starts = np.cumsum([0, *(table.n_entry for table in tables)]).tolist()
        self.n_entry = int(self._starts[-1])
        shared = [name for name in tables[0].leaves if all(name in table.leaves for table in tables)]
        if counts_trees:
            own = next((table.name for table in tables if TREE in table.leaves), None)
            if own is not None:
                raise InputError(
                    f"{path}: the tree {own} has a branch called {TREE}, which is what the trees of a list are counted "
                    "by. Make one spec for each tree, with a single name in source.tree."
                )
            shared.append(TREE)
        self.branches = tuple(shared)

    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named branches of entries `start .. stop - 1`.

        Raises InputError naming a branch that is missing or cannot be read.
        """
        parts = []
        for index, table in enumerate(self._tables):
            first, last = (min(max(entry - self._starts[index], 0), table.n_entry) for entry in (start, stop))
            if first < last or (index == 0 and start == stop):
                parts.append(
                    table.read(tuple(name for name in branches if name != TREE or TREE in table.leaves), first, last)
                )
                if TREE in branches and TREE not in table.leaves:
                    parts[-1][TREE] = ak.Array(np.full(last - first, index, dtype=np.int64))
        return (
            parts[0]
            if len(parts) == 1
            else {name: self._joined(name, [part[name] for part in parts]) for name in branches}
        )

    def chunks(self, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Ranges of entries of about `CHUNK_BYTES`, within one tree each, cut at baskets or clusters where possible."""
        for before, table in zip(self._starts, self._tables, strict=False):
            for start, stop in table.chunks([name for name in branches if name in table.leaves]):
                yield before + start, before + stop

    def type_of(self, branch: str) -> str:
        """The type of one entry in awkward's notation; empty where uproot cannot read the branch."""
        leaf = self._tables[0].leaves.get(branch)
        return leaf.type() if leaf else "int64" if branch == TREE else ""

    def metadata(self) -> dict[str, Any]:
        """The first row of the tree `metadata`, if there is one, without infinities and NaN, and the `sum_of_weights`.

        Raises InputError where one of them cannot be read.
        """
        total = self._sum_of_weights and _total(self.path, self._file, self._sum_of_weights)
        sums = {} if total is None else {"sum_of_weights": total}
        if METADATA_TREE not in tree_names(self._file):
            return sums
        tree = get_tree(self.path, self._file, METADATA_TREE)
        try:
            row = {name: tree[name].array(entry_stop=1) for name in tree.keys()}  # noqa: SIM118 a tree is no dict
        except Exception as error:  # uproot raises many kinds for damaged baskets
            raise InputError(
                f"{self.path}: the tree {METADATA_TREE} cannot be read, the file is damaged. ({first_line(error)})"
            ) from error
        first = {name: values[0] for name, values in row.items() if len(values)}
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in first.items()}
        return {
            name: value
            for name, value in plain.items()
            if isinstance(value, str | int | float) and not _is_infinite(value)
        } | sums

    def _joined(self, name: str, parts: list[Any]) -> Any:
        """A branch joined over several trees; raises InputError if its type differs between them."""
        kinds = [str(part.type.content) for part in parts]
        if len({kind.count(" * ") for kind in kinds}) > 1 or len({"string" in kind for kind in kinds}) > 1:
            listed = ", ".join(dict.fromkeys(kinds))
            raise InputError(f"{self.path}: branch {name} is not of one type in the trees of the source: {listed}.")
        return ak.concatenate(parts)


class _Table:
    """One TTree or RNTuple."""

    def __init__(self, path: Path, tree: Any) -> None:
        self.path, self.name, self._tree = path, str(tree.name), tree
        try:
            self.n_entry = int(tree.num_entries)
            self.leaves = leaves_of(tree)
        except Exception as error:  # uproot reads the fields of an RNTuple here
            raise InputError(
                f"{path}: the tree {self.name} cannot be read, the file is damaged. ({first_line(error)})"
            ) from error

    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named branches of entries `start .. stop - 1`; raises InputError naming one that is missing or damaged.

        Reading them one by one takes uproot no longer than all at once, and tells which one is damaged.
        """
        arrays: dict[str, Any] = {}
        counts: dict[str, NDArray[np.integer[Any]]] = {}
        verified: dict[str, Any] = {}
        for name in branches:
            leaf = self.leaves.get(name)
            if leaf is None:
                raise InputError(f"{self.path}: the tree {self.name} has no branch {name}{suggest(name, self.leaves)}")
            arrays[name] = self._array(name, leaf, start, stop)
            counter = leaf.counter
            if counter is not None and arrays[name].ndim > 1:
                key = str(counter.origin.name)
                if key not in counts:
                    counts[key] = np.asarray(self._array(key, counter, start, stop))
                # branches with the offsets of a verified one need no check; regular lists have no offsets
                offsets = getattr(arrays[name].layout, "offsets", None)
                if offsets is None or key not in verified or not np.array_equal(offsets, verified[key]):
                    self._check_counts(name, arrays[name], key, counts[key], start)
                    verified[key] = offsets
        return arrays

    def chunks(self, branches: list[str]) -> Iterator[tuple[int, int]]:
        """Ranges of entries of about the same size in bytes."""
        origins = {id(self.leaves[name].origin): self.leaves[name].origin for name in branches}.values()
        step, edges = self._step(list(origins)), self._edges(list(origins))
        start = 0
        while start < self.n_entry:
            # the last chunk takes a small rest, too
            stop = start + step if start + step + step // 4 < self.n_entry else self.n_entry
            edge = int(edges[np.searchsorted(edges, stop, side="right") - 1])
            if stop < self.n_entry and edge > start + step // 2:
                stop = edge
            yield start, stop
            start = stop

    def _array(self, name: str, leaf: RootLeaf, start: int, stop: int) -> Any:
        try:
            array = leaf.array(start, stop)
        except Exception as error:  # uproot raises many kinds for damaged baskets and unknown types
            raise InputError(
                f"{self.path}: branch {name} cannot be read for entries {start} to {stop - 1}; the file is damaged or "
                f"truncated, or the branch has a type that uproot does not know. ({first_line(error)})"
            ) from error
        if len(array) != stop - start:
            raise InputError(
                f"{self.path}: branch {name} has {len(array)} of the entries {start} to {stop - 1}; the file is "
                "damaged or truncated."
            )
        return array

    def _check_counts(self, name: str, array: Any, counter: str, counts: NDArray[np.integer[Any]], start: int) -> None:
        """Compares the lengths of a branch's lists with its counter.

        Args:
            name: the branch.
            array: its entries, an awkward array of lists.
            counter: the name of the counting branch.
            counts: its values, `(n_entry,)`.
            start: the index of the first entry, for messages.

        Raises InputError where a length differs.
        """
        offsets = getattr(array.layout, "offsets", None)  # regular lists have none
        seen = np.asarray(ak.num(array, axis=1)) if offsets is None else np.diff(np.asarray(offsets))
        if not np.array_equal(seen, counts):
            first = int(np.argmax(seen != counts))
            raise InputError(
                f"{self.path}: branch {name} has {seen[first]} values in entry {start + first}, but its counter "
                f"{counter} says {counts[first]}; the file is damaged. Copy or produce it again."
            )

    def _step(self, origins: list[Any]) -> int:
        sizes = [getattr(origin, "uncompressed_bytes", None) for origin in origins]
        known = [int(size) for size in sizes if size is not None]
        if len(known) < len(sizes) or not sum(known):
            return CHUNK_ENTRIES
        return max(SMALLEST_CHUNK, int(self.n_entry * CHUNK_BYTES / sum(known)))

    def _edges(self, origins: list[Any]) -> NDArray[np.int64]:
        """Entries where a basket of every branch, or a cluster, begins.

        A chunk that starts elsewhere decompresses some twice.
        """
        if hasattr(self._tree, "cluster_summaries"):
            common = {int(cluster.num_first_entry) for cluster in self._tree.cluster_summaries}
        else:
            offsets = [set(map(int, origin.entry_offsets)) for origin in origins]
            common = set.intersection(*offsets) if offsets else set()
        return np.array(sorted(common | {0}), dtype=np.int64)


def _total(path: Path, file: Any, where: SumOfWeights) -> float | None:
    """The sum over the rows; None if it is optional and missing.

    Raises InputError where it is missing otherwise, or is no finite number.
    """
    if where.optional and where.tree not in tree_names(file):
        return None
    table = _Table(path, get_tree(path, file, where.tree))
    present = [name for name in where.branch if name in table.leaves]
    if where.optional and not present:
        return None
    branch = (*present, *where.branch)[0]
    values = table.read((branch,), 0, table.n_entry)[branch]
    label = f"{path}: source.sum_of_weights: {branch} of the tree {where.tree}"
    try:
        total = math.fsum(ak.to_numpy(values, allow_missing=False))
    except (ValueError, TypeError) as error:
        raise InputError(f"{label} is {table.leaves[branch].type()}; one number a row was expected.") from error
    if not isfinite(total):
        raise InputError(f"{label} adds up to {total}; it is no sum of weights.")
    return total


def _is_infinite(value: str | int | float) -> bool:
    return isinstance(value, float) and not isfinite(value)
