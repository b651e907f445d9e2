"""Where the answers for a file's graphs belong: one place for each entry, or for each value of `graph_per`."""

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
    """The places of a file, entry by entry.

    Attributes:
        of_graph: `(n_graph,)`, the place of each prepared graph.
        per_entry: `(n_entry,)`, how many places each entry has; None where each has one.
        trees: entries of each tree that is read, by name; empty where there is one tree alone.
    """

    of_graph: Index
    n_place: int
    n_entry: int
    per_entry: Index | None
    trees: dict[str, int]

    @classmethod
    def of(cls, path: Path, spec: Spec, shard: Shard, *, whole_events: bool) -> EntryAlignment:
        """Those of the file that `shard` was made of with `spec`, a spec of one variation; answers of whole events are one per entry."""
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
        """The graphs' `values (n_graph,)` at their places, `(n_place,)`, and `missing` elsewhere."""
        placed = np.full(self.n_place, missing, dtype=values.dtype)
        placed[self.of_graph] = values
        return placed

    def is_same(self, other: EntryAlignment) -> bool:
        """Whether both have the same places."""
        if self.per_entry is None or other.per_entry is None:
            return self.per_entry is other.per_entry and self.n_entry == other.n_entry
        return np.array_equal(self.per_entry, other.per_entry)


def _pieces(path: Path, spec: Spec, branch: str) -> Iterator[tuple[Index, Index]]:
    """A branch piece by piece: its numbers, and how many each entry has; an empty piece first, for a file without entries."""
    yield np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    with spec.source.open(path) as source:
        for start, stop in source.chunks((branch,)):
            values, count = flat(source.read((branch,), start, stop)[branch], BranchLocation(path, branch, start))
            yield values, np.ones(stop - start, dtype=np.int64) if count is None else count
