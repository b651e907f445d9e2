"""Finds duplicated events: equal ids, found by sorting 64-bit hashes and confirmed by the ids themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from root_gnn.data.cache.shard import Shard
from root_gnn.graph.hashing import hash_ids
from root_gnn.typing import Index

BLOCK = 2**19  # rows hashed at a time
PART = 2**24  # hashes sorted at a time
N_CONFIRMED = 1024  # repeated hashes whose rows are looked up
N_ROW = 2**16  # rows looked up in all

Groups = Sequence[int | Index]
"""For each shard the group of its events: one number for all, or one per event, `(n_graph,)`."""
EventPosition = tuple[int, int]
"""An event: the index of its shard, and its row there."""


@dataclass(frozen=True)
class Repeated:
    """Events with the same id as another event.

    Attributes:
        n: how many there are, not counting the first event with each id.
        first, second: an example, two events with one id.
        n_compared: pairs whose nodes were compared.
        n_same: of these, pairs with the same nodes (at least one node).
    """

    n: int
    first: EventPosition
    second: EventPosition
    n_compared: int
    n_same: int

    @property
    def is_same(self) -> bool:
        """Whether most are copies of an event, and not just events with the same number."""
        return 2 * self.n_same >= self.n_compared


def within(shards: Sequence[Shard], groups: Groups) -> Repeated | None:
    """Finds ids that occur twice in one group; returns None if there are none."""
    n, values = _repeated(shards, groups)
    if not n:
        return None
    pairs, n_false = _pairs(shards, groups, values, is_across=False)
    return _described(shards, n - n_false, pairs)


def across(shards: Sequence[Shard], groups: Groups) -> Repeated | None:
    """Finds ids that occur in several groups (`n` counts groups after the first); returns None if there are none."""
    n_all, values = _repeated(shards, None)
    if not n_all:
        return None
    pairs, n_false = _pairs(shards, groups, values, is_across=True)
    return _described(shards, n_all - n_false - _repeated(shards, groups)[0], pairs)


def overlap(shards: Sequence[Shard], groups: Groups, splits: Sequence[Index], n_id: int) -> int:
    """Counts the ids of a group that occur in more than one split.

    Args:
        shards: the prepared files.
        groups: ids of different groups are different events.
        splits: for each shard the split of each event, `(n_graph,)`, numbers 0 to 3.
        n_id: only the first `n_id` columns of the ids are compared.
    """
    keys = np.concatenate([key for _, _, key in _keys(shards, groups, n_id)] or [np.zeros(0, dtype=np.int64)])
    keys &= ~np.int64(3)
    keys |= np.concatenate([np.zeros(0, dtype=np.int64), *splits])
    keys.sort()
    without_group = distinct(keys) >> 2
    return len(distinct(without_group[1:][without_group[1:] == without_group[:-1]]))


def _keys(shards: Sequence[Shard], groups: Groups | None, n_id: int | None = None) -> Iterator[tuple[int, int, Index]]:
    """Yields hashes of ids (and groups) block by block, after the index of the shard and the first row."""
    for i_shard, shard in enumerate(shards):
        group = 0 if groups is None else groups[i_shard]
        for start in range(0, shard.n_graph, BLOCK):
            ids = np.array(shard.ids[start : start + BLOCK, :n_id])
            if groups is not None:
                own = group if isinstance(group, int) else group[start : start + BLOCK]
                ids = np.column_stack([np.broadcast_to(own, len(ids)), ids])
            yield i_shard, start, hash_ids(torch.from_numpy(ids)).numpy()


def _repeated(shards: Sequence[Shard], groups: Groups | None) -> tuple[int, Index]:
    """Counts the hashes that occurred before, and returns some of those hashes, ascending."""
    n_bit = max(-(-sum(shard.n_graph for shard in shards) // PART) - 1, 0).bit_length()
    n, values = 0, np.zeros(0, dtype=np.int64)
    for part in range(2**n_bit):  # one pass per part, so that memory does not grow with the number of events
        parts = [
            key if not n_bit else key[(key.view(np.uint64) >> np.uint64(64 - n_bit)) == part]
            for _, _, key in _keys(shards, groups)
        ]
        keys = np.concatenate([np.zeros(0, dtype=np.int64), *parts])
        del parts
        keys.sort()
        repeats = keys[1:][keys[1:] == keys[:-1]]
        n += len(repeats)
        values = np.concatenate([values, distinct(repeats)[: N_CONFIRMED - len(values)]])
    return n, np.sort(values)


def distinct(ascending: Index) -> Index:
    """Returns each of the sorted numbers `(n,)` once; several times faster than `numpy.unique`."""
    is_new = np.concatenate([np.ones(min(len(ascending), 1), dtype=bool), ascending[1:] != ascending[:-1]])
    return np.asarray(ascending[is_new])


def _pairs(
    shards: Sequence[Shard], groups: Groups, values: Index, *, is_across: bool
) -> tuple[list[tuple[EventPosition, EventPosition]], int]:
    """Returns pairs of events with one id (the first and each later one) and the number of hash collisions."""
    first: dict[int, list[EventPosition]] = {}
    pairs, n_false, n_row = [], 0, 0
    for i_shard, start, keys in _keys(shards, None if is_across else groups):
        slot = np.minimum(np.searchsorted(values, keys), len(values) - 1)
        for row in np.flatnonzero(values[slot] == keys)[: N_ROW - n_row].tolist():
            n_row += 1
            position = (i_shard, start + row)
            known = first.setdefault(int(slot[row]), [])
            same = [earlier for earlier in known if np.array_equal(_ids(shards, earlier), _ids(shards, position))]
            n_false += bool(known) and not same
            pairs += [
                (earlier, position)
                for earlier in same
                if (_group(groups, earlier) != _group(groups, position)) == is_across
            ][:1]
            if not same or (is_across and len(same) < 4):
                known.append(position)
        if n_row >= N_ROW:
            break
    return pairs, n_false


def _described(shards: Sequence[Shard], n: int, pairs: list[tuple[EventPosition, EventPosition]]) -> Repeated | None:
    if n <= 0 or not pairs:
        return None
    compared = pairs[:N_CONFIRMED]
    same = [pair for pair in compared if _same_nodes(shards, *pair)]
    first, second = min(same or pairs, key=lambda pair: pair[1])
    return Repeated(n, first, second, len(compared), len(same))


def _ids(shards: Sequence[Shard], position: EventPosition) -> Index:
    ids: Index = shards[position[0]].ids[position[1]]
    return ids


def _group(groups: Groups, position: EventPosition) -> int:
    group = groups[position[0]]
    return group if isinstance(group, int) else int(group[position[1]])


def _same_nodes(shards: Sequence[Shard], first_event: EventPosition, second_event: EventPosition) -> bool:
    nodes = [
        shards[i_shard].nodes[shards[i_shard].offsets[row] : shards[i_shard].offsets[row + 1]]
        for i_shard, row in (first_event, second_event)
    ]
    return len(nodes[0]) > 0 and np.array_equal(nodes[0], nodes[1])
