"""Maps rows of a table to rows of shards, and reads columns of all events from the mapped files."""

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

BLOCK = 2**19  # rows that are in memory at a time during a pass over a whole column


class EventRows:
    """The rows of all shards in sequence, or those of them that were kept."""

    def __init__(self, sizes: Sequence[int], kept: Index | None = None) -> None:
        """Takes the number of rows of each shard, and the ascending positions `(n_row,)` of the kept rows."""
        self.begin = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self.kept = kept

    def __len__(self) -> int:
        return int(self.begin[-1]) if self.kept is None else len(self.kept)

    def shard_of(self, index: Index) -> Index:
        """Returns the index of the shard of each of the rows `index (n,)`."""
        return np.searchsorted(self.begin, self._position(index), side="right") - 1

    def sorted(self, index: Index) -> Located:
        """Sorts the rows `index (n,)` by shard and row; raises IndexError if there is no such row."""
        position = self._position(index)
        order = np.argsort(position)  # needs no stable sort: equal positions are equal rows
        position = position[order]
        if len(position) and (position[0] < 0 or position[-1] >= self.begin[-1]):
            raise IndexError(f"rows {index.min()} to {index.max()} of a table of {len(self)}")
        border = np.searchsorted(position, self.begin)
        n_of = np.diff(border)
        shards = np.flatnonzero(n_of)
        pieces = list(zip(shards.tolist(), border[shards].tolist(), border[shards + 1].tolist(), strict=True))
        return Located(order, position - np.repeat(self.begin[shards], n_of[shards]), pieces)

    def stretches(self, start: int, stop: int) -> list[tuple[int, int, int]]:
        """Returns (shard, first row, last row + 1) for each shard of the rows `start .. stop - 1` (all rows kept)."""
        first = np.maximum(start - self.begin[:-1], 0)
        last = np.minimum(stop, self.begin[1:]) - self.begin[:-1]
        return [(shard, int(first[shard]), int(last[shard])) for shard in np.flatnonzero(first < last).tolist()]

    def _position(self, index: Index) -> Index:
        return np.array(index, dtype=np.int64) if self.kept is None else self.kept[index]


@dataclass(frozen=True)
class Located:
    """Rows sorted by shard.

    Attributes:
        order: `(n,)`, the permutation that sorts the requested rows.
        row: `(n,)`, the row within its shard, of each sorted row.
        pieces: (shard, start, stop) for each shard: it holds the sorted rows `start .. stop - 1`.
    """

    order: Index
    row: Index
    pieces: list[tuple[int, int, int]]


class EventColumn:
    """A column of all events that stays in the files: `column[rows]` reads rows, `numpy.asarray(column)` all.

    Rows are indexed as in an array: by numbers, a mask or a slice, and if there are several numbers per event also by
    `column[rows, k]`. `only` selects some of the numbers of each event.
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
    """Returns `graph.hashing.uniform`, in [0, 1), of `ids (n_event, n_id)` or of their rows `rows (n,)`."""
    return _by_block(uniform, ids, salt, rows, np.float64)


def hash_of(ids: EventColumn | Index, salt: Sequence[int] = ()) -> Index:
    """Returns `graph.hashing.hash_ids`, 64 well-mixed bits, of `ids (n_event, n_id)`."""
    return _by_block(hash_ids, ids, salt, None, np.int64)


def _by_block(
    function: Any, ids: EventColumn | Index, salt: Sequence[int], rows: Index | None, dtype: Any
) -> NDArray[Any]:
    """Applies a hash function to ids block by block, so that a file-backed column never is in memory as a whole.

    Args:
        function: takes ids `(n, n_id)` and the salt, returns `(n,)`.
        ids: `(n_event, n_id)`.
        salt: constants that make different uses of one id independent.
        rows: rows `(n,)` of the ids; None for all.
        dtype: type of the result.
    """
    n = len(ids) if rows is None else len(rows)
    result = np.empty(n, dtype=dtype)
    for start in range(0, n, BLOCK):
        part = slice(start, start + BLOCK)
        block = np.ascontiguousarray(ids[part] if rows is None else ids[rows[part]])
        result[part] = function(torch.from_numpy(block), salt).numpy()
    return result
