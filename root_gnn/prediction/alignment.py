"""Aligns the scores of graphs with the entries of their file: one slot per entry, or per value of `graph_per`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.cache.shard import Shard
from root_gnn.data.reading.columns import BranchLocation, flat
from root_gnn.data.reading.selection import TREE
from root_gnn.data.spec.spec import Spec
from root_gnn.typing import Index


@dataclass(frozen=True)
class EntryAlignment:
    """The slots for scores of a file, entry by entry.

    Attributes:
        of_graph: `(n_graph,)`, the slot of each prepared graph.
        n_place: number of slots.
        n_entry: number of entries of the file.
        per_entry: `(n_entry,)`, number of slots of each entry; None if each has one.
        trees: number of entries of each tree that is read, by name; empty for a single tree.
    """

    of_graph: Index
    n_place: int
    n_entry: int
    per_entry: Index | None
    trees: dict[str, int]

    @classmethod
    def of(cls, path: Path, spec: Spec, shard: Shard, *, whole_events: bool) -> EntryAlignment:
        """Returns the slots of the file that `shard` was made of with `spec`; whole events have one slot per entry."""
        n_entry = int(shard.meta.findings["n_entry"])
        names = spec.source.trees
        of_tree = [values for values, _ in _pieces(path, spec, TREE)] if names else []
        trees = (
            dict(zip(names, np.bincount(np.concatenate(of_tree), minlength=len(names)).tolist(), strict=True))
            if names
            else {}
        )
        if spec.graph_per is None or whole_events:
            return cls(np.asarray(shard.entry), n_entry, n_entry, None, trees)
        per_entry = np.concatenate([count for _, count in _pieces(path, spec, spec.graph_per)])
        first = np.cumsum(per_entry) - per_entry
        return cls(first[shard.entry] + shard.ids[:, -1], int(per_entry.sum()), n_entry, per_entry, trees)

    def spread(self, values: NDArray[Any], missing: Any) -> NDArray[Any]:
        """Puts `values (n_graph,)` into their slots, `(n_place,)`; empty slots get `missing`."""
        placed = np.full(self.n_place, missing, dtype=values.dtype)
        placed[self.of_graph] = values
        return placed

    def is_same(self, other: EntryAlignment) -> bool:
        """Whether both have the same slots."""
        if self.per_entry is None or other.per_entry is None:
            return self.per_entry is other.per_entry and self.n_entry == other.n_entry
        return np.array_equal(self.per_entry, other.per_entry)


def _pieces(path: Path, spec: Spec, branch: str) -> Iterator[tuple[Index, Index]]:
    """Yields the values of a branch and their number per entry, piece by piece, after an empty piece."""
    yield np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    with spec.source.open(path) as source:
        for start, stop in source.chunks((branch,)):
            values, count = flat(source.read((branch,), start, stop)[branch], BranchLocation(path, branch, start))
            yield values, np.ones(stop - start, dtype=np.int64) if count is None else count
