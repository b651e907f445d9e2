"""Events that stand somewhere twice: equal ids among many, found by sorting 64-bit hashes and confirmed by the ids themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from root_gnn.data.cache.shard import Shard
from root_gnn.graph.hashing import hash_ids
from root_gnn.typing import Index

BLOCK = 2**19  # rows hashed at a time
PART = 2**24  # hashes that are sorted at a time
N_CONFIRMED = 1024  # repeated hashes whose rows are looked up
N_ROW = 2**16  # rows looked up in all

Groups = Sequence[int | Index]
"""For each shard the group of its events: one number, or one for each event, `(n_graph,)`."""
Spot = tuple[int, int]
"""An event: the place of its shard, and its row there."""


@dataclass(frozen=True)
class Repeated:
    """Events whose id another one has: how many beyond the first of each id, an example, and whether they are the same in substance.

    Of `n_compared` pairs `n_same` have the same nodes (at least one).
    """

    n: int
    first: Spot
    second: Spot
    n_compared: int
    n_same: int

    @property
    def is_same(self) -> bool:
        """Whether they are mostly the same events, and not just numbered alike."""
        return 2 * self.n_same >= self.n_compared


def within(shards: Sequence[Shard], groups: Groups) -> Repeated | None:
    """Ids that stand twice in one group; None where there are none."""
    n, values = _repeated(shards, groups)
    if not n:
        return None
    pairs, n_false = _pairs(shards, groups, values, is_across=False)
    return _described(shards, n - n_false, pairs)


def across(shards: Sequence[Shard], groups: Groups) -> Repeated | None:
    """Ids that stand in several groups; None where there are none. `n` counts an id once for each group after its first."""
    n_all, values = _repeated(shards, None)
    if not n_all:
        return None
    pairs, n_false = _pairs(shards, groups, values, is_across=True)
    return _described(shards, n_all - n_false - _repeated(shards, groups)[0], pairs)


def overlap(shards: Sequence[Shard], groups: Groups, splits: Sequence[Index], n_id: int) -> int:
    """How many ids (of the first `n_id` columns) of a group stand in more than one split, `splits` as numbers 0 to 3 for each event."""
    keys = np.concatenate([key for _, _, key in _keys(shards, groups, n_id)] or [np.zeros(0, dtype=np.int64)])
    keys &= ~np.int64(3)
    keys |= np.concatenate([np.zeros(0, dtype=np.int64), *splits])
    keys.sort()
    without_group = distinct(keys) >> 2
    return len(distinct(without_group[1:][without_group[1:] == without_group[:-1]]))


def _keys(shards: Sequence[Shard], groups: Groups | None, n_id: int | None = None) -> Iterator[tuple[int, int, Index]]:
    """Hashes of ids (and groups) block by block, with the place of the shard and the first row."""
    for place, shard in enumerate(shards):
        group = 0 if groups is None else groups[place]
        for start in range(0, shard.n_graph, BLOCK):
            ids = np.array(shard.ids[start : start + BLOCK, :n_id])
            if groups is not None:
                own = group if isinstance(group, int) else group[start : start + BLOCK]
                ids = np.column_stack([np.broadcast_to(own, len(ids)), ids])
            yield place, start, hash_ids(torch.from_numpy(ids)).numpy()


def _repeated(shards: Sequence[Shard], groups: Groups | None) -> tuple[int, Index]:
    """How many hashes were there before, and some of those hashes, ascending."""
    n_bit = max(-(-sum(shard.n_graph for shard in shards) // PART) - 1, 0).bit_length()
    n, values = 0, np.zeros(0, dtype=np.int64)
    for part in range(2**n_bit):  # so that memory does not grow with the number of events
        found = [
            key if not n_bit else key[(key.view(np.uint64) >> np.uint64(64 - n_bit)) == part]
            for _, _, key in _keys(shards, groups)
        ]
        keys = np.concatenate([np.zeros(0, dtype=np.int64), *found])
        del found
        keys.sort()
        again = keys[1:][keys[1:] == keys[:-1]]
        n += len(again)
        values = np.concatenate([values, distinct(again)[: N_CONFIRMED - len(values)]])
    return n, np.sort(values)


def distinct(ascending: Index) -> Index:
    """Each of the numbers `(n,)` once, where they ascend; several times faster than `numpy.unique` on many."""
    is_new = np.concatenate([np.ones(min(len(ascending), 1), dtype=bool), ascending[1:] != ascending[:-1]])
    return np.asarray(ascending[is_new])


def _pairs(
    shards: Sequence[Shard], groups: Groups, values: Index, *, is_across: bool
) -> tuple[list[tuple[Spot, Spot]], int]:
    """Pairs of events with one id, the first and every later one, and how often different ids met in one hash."""
    first: dict[int, list[Spot]] = {}
    pairs, n_false, n_row = [], 0, 0
    for place, start, keys in _keys(shards, None if is_across else groups):
        at = np.minimum(np.searchsorted(values, keys), len(values) - 1)
        for row in np.flatnonzero(values[at] == keys)[: N_ROW - n_row].tolist():
            n_row += 1
            spot = (place, start + row)
            known = first.setdefault(int(at[row]), [])
            same = [other for other in known if np.array_equal(_ids(shards, other), _ids(shards, spot))]
            n_false += bool(known) and not same
            pairs += [(other, spot) for other in same if (_group(groups, other) != _group(groups, spot)) == is_across][
                :1
            ]
            if not same or (is_across and len(same) < 4):
                known.append(spot)
        if n_row >= N_ROW:
            break
    return pairs, n_false


def _described(shards: Sequence[Shard], n: int, pairs: list[tuple[Spot, Spot]]) -> Repeated | None:
    if n <= 0 or not pairs:
        return None
    compared = pairs[:N_CONFIRMED]
    same = [pair for pair in compared if _same_nodes(shards, *pair)]
    first, second = min(same or pairs, key=lambda pair: pair[1])
    return Repeated(n, first, second, len(compared), len(same))


def _ids(shards: Sequence[Shard], spot: Spot) -> Index:
    ids: Index = shards[spot[0]].ids[spot[1]]
    return ids


def _group(groups: Groups, spot: Spot) -> int:
    group = groups[spot[0]]
    return group if isinstance(group, int) else int(group[spot[1]])


def _same_nodes(shards: Sequence[Shard], one: Spot, other: Spot) -> bool:
    nodes = [
        shards[place].nodes[shards[place].offsets[row] : shards[place].offsets[row + 1]] for place, row in (one, other)
    ]
    return len(nodes[0]) > 0 and np.array_equal(nodes[0], nodes[1])
