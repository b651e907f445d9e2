"""Which row of which shard a table's row is, and columns of all events that stay in the mapped files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from root_gnn.data.cache.shard import Shard
from root_gnn.graph.hashing import hash_ids, uniform
from root_gnn.typing import Index

BLOCK = 2**19  # rows that a pass over a whole column has in memory at a time


class EventRows:
    """The rows of shards of `sizes`, one behind the other: all of them, or those at the positions `kept`, ascending."""

    def __init__(self, sizes: Sequence[int], kept: Index | None = None) -> None:
        self.begin = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self.kept = kept

    def __len__(self) -> int:
        return int(self.begin[-1]) if self.kept is None else len(self.kept)

    def shard_of(self, index: Index) -> Index:
        """The shard each of the rows `index (n,)` stands in."""
        return np.searchsorted(self.begin, self._position(index), side="right") - 1

    def sorted(self, index: Index) -> Located:
        """The rows `index (n,)` in the order of the shards and of their rows there; raises IndexError where one is not there."""
        position = self._position(index)
        order = np.argsort(position)  # a row that is asked for twice is the same in both places
        position = position[order]
        if len(position) and (position[0] < 0 or position[-1] >= self.begin[-1]):
            raise IndexError(f"rows {index.min()} to {index.max()} of a table of {len(self)}")
        border = np.searchsorted(position, self.begin)
        n_of = np.diff(border)
        shards = np.flatnonzero(n_of)
        pieces = list(zip(shards.tolist(), border[shards].tolist(), border[shards + 1].tolist(), strict=True))
        return Located(order, position - np.repeat(self.begin[shards], n_of[shards]), pieces)

    def stretches(self, start: int, stop: int) -> list[tuple[int, int, int]]:
        """Shard, first and last + 1 row there, of the rows `start .. stop - 1` where none was left out."""
        first = np.maximum(start - self.begin[:-1], 0)
        last = np.minimum(stop, self.begin[1:]) - self.begin[:-1]
        return [(shard, int(first[shard]), int(last[shard])) for shard in np.flatnonzero(first < last).tolist()]

    def _position(self, index: Index) -> Index:
        return np.array(index, dtype=np.int64) if self.kept is None else self.kept[index]


@dataclass(frozen=True)
class Located:
    """Rows by shard: `order (n,)` sorts them, `row (n,)` is where they stand in their shard, sorted so.

    `pieces` are shard, start and stop: the rows `start .. stop - 1` of the sorted ones are of that shard.
    """

    order: Index
    row: Index
    pieces: list[tuple[int, int, int]]


class EventColumn:
    """A column of all events, in the files: `column[rows]` reads some into memory, `numpy.asarray(column)` all.

    Rows are given as for an array: numbers, a mask, a slice, and for a column of several numbers per event also
    `column[rows, k]`. `only` names the numbers of each event that belong to the column, where not all do.
    """

    def __init__(
        self, shards: Sequence[Shard], name: str, rows: EventRows, *, only: Sequence[int] | None = None
    ) -> None:
        self.shards, self.name, self.rows = shards, name, rows
        self.only = None if only is None else list(only)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """As of the array."""
        return (len(self), *self._read(0, slice(0, 0)).shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """As of the array."""
        return self._read(0, slice(0, 0)).dtype

    def __getitem__(self, key: Any) -> Any:
        rows, rest = (key[0], (slice(None), *key[1:])) if isinstance(key, tuple) else (key, None)
        values = self._slice(rows) if isinstance(rows, slice) else self._take(np.asarray(rows))
        return values if rest is None else values[rest]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)

    def _slice(self, rows: slice) -> NDArray[Any]:
        start, stop, step = rows.indices(len(self))
        if self.rows.kept is not None or step != 1:
            return self._take(np.arange(start, stop, step))
        parts = [self._read(shard, slice(first, last)) for shard, first, last in self.rows.stretches(start, stop)]
        return np.concatenate(parts or [self._read(0, slice(0, 0))])

    def _take(self, rows: NDArray[Any]) -> NDArray[Any]:
        if rows.ndim == 0:
            return np.asarray(self._take(rows[None])[0])
        located = self.rows.sorted(np.flatnonzero(rows) if rows.dtype == np.bool_ else rows)
        parts = [self._read(shard, located.row[start:stop]) for shard, start, stop in located.pieces]
        values = np.concatenate(parts or [self._read(0, slice(0, 0))])
        result = np.empty_like(values)
        result[located.order] = values
        return result

    def _read(self, shard: int, rows: Any) -> NDArray[Any]:
        values: NDArray[Any] = getattr(self.shards[shard], self.name)[rows]
        return values if self.only is None else values[:, self.only]


def uniform_of(ids: EventColumn | Index, salt: Sequence[int], rows: Index | None = None) -> NDArray[np.float64]:
    """A number in [0, 1) for each event of `ids (n_event, n_id)`, or of its rows `rows (n,)`: `graph.hashing.uniform`, block by block."""
    return _by_block(uniform, ids, salt, rows, np.float64)


def hash_of(ids: EventColumn | Index, salt: Sequence[int] = ()) -> Index:
    """64 well-mixed bits for each event of `ids (n_event, n_id)`: `graph.hashing.hash_ids`, block by block."""
    return _by_block(hash_ids, ids, salt, None, np.int64)


def _by_block(
    function: Any, ids: EventColumn | Index, salt: Sequence[int], rows: Index | None, dtype: Any
) -> NDArray[Any]:
    n = len(ids) if rows is None else len(rows)
    result = np.empty(n, dtype=dtype)
    for start in range(0, n, BLOCK):
        part = slice(start, start + BLOCK)
        block = np.ascontiguousarray(ids[part] if rows is None else ids[rows[part]])
        result[part] = function(torch.from_numpy(block), salt).numpy()
    return result
