"""Repeated ids against plain dictionaries, whatever the groups, blocks and parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.data.cache.shard import Shard
from root_gnn.data.hygiene import duplicates
from root_gnn.data.hygiene.duplicates import across, overlap, within
from root_gnn.data.spec.spec import Spec, load_spec


class Stored:
    """What `duplicates` needs of a shard, in memory: node k of it is k + `shift`."""

    def __init__(self, ids: Sequence[Sequence[int]], shift: int = 0) -> None:
        self.ids = np.array(ids, dtype=np.int64).reshape(-1, 2)
        self.n_graph = len(self.ids)
        self.offsets = np.arange(self.n_graph + 1)
        self.nodes = (self.ids.sum(axis=1, keepdims=True) + shift).astype(np.float32)


ids = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=8)


@settings(max_examples=80, deadline=None)
@given(st.lists(ids, min_size=1, max_size=4), st.data())
def test_counts_are_those_of_a_dictionary(files: list[list[tuple[int, int]]], data: Any) -> None:
    shards: Any = [Stored(file) for file in files]
    groups = [
        np.array(data.draw(st.lists(st.integers(0, 1), min_size=len(file), max_size=len(file))), dtype=np.int64)
        for file in files
    ]
    rows = [
        (int(group), one)
        for file, of_file in zip(files, groups, strict=True)
        for one, group in zip(file, of_file, strict=True)
    ]
    found, shared = within(shards, groups), across(shards, groups)
    assert (found.n if found else 0) == len(rows) - len(set(rows))
    assert (shared.n if shared else 0) == len(set(rows)) - len({one for _, one in rows})
    for one, is_across in ((found, False), (shared, True)):
        if one:
            (file, row), (other, before) = one.second, one.first
            assert (other, before) < (file, row)
            assert shards[file].ids[row].tolist() == shards[other].ids[before].tolist()
            assert (groups[file][row] != groups[other][before]) == is_across


@settings(max_examples=30, deadline=None)
@given(ids, st.data())
def test_overlap_of_splits(file: list[tuple[int, int]], data: Any) -> None:
    split = data.draw(st.lists(st.integers(0, 3), min_size=len(file), max_size=len(file)))
    of_id: dict[int, set[int]] = {}
    for (first, _), code in zip(file, split, strict=True):
        of_id.setdefault(first, set()).add(code)
    shards: Any = [Stored(file)]
    assert overlap(shards, [0], [np.array(split, dtype=np.int64)], 1) == sum(len(codes) > 1 for codes in of_id.values())


@pytest.mark.parametrize(("block", "part"), [(2**19, 2**24), (7, 50)])
def test_blocks_and_parts_change_nothing(monkeypatch: pytest.MonkeyPatch, block: int, part: int) -> None:
    monkeypatch.setattr(duplicates, "BLOCK", block)
    monkeypatch.setattr(duplicates, "PART", part)
    numbers = np.random.default_rng(0).integers(0, 400, (3, 300))
    shards: Any = [Stored([(0, value) for value in row]) for row in numbers.tolist()]
    found, shared = within(shards, [0, 1, 2]), across(shards, [0, 1, 2])
    assert found is not None
    assert shared is not None
    assert found.n == sum(300 - len(set(row)) for row in numbers.tolist())
    assert shared.n == sum(len(set(row)) for row in numbers.tolist()) - len(set(numbers.ravel().tolist()))
    assert found.n_same == found.n_compared


def test_ids_alike_and_objects_not(make_shard: Callable[..., Shard], small_spec: dict[str, Any]) -> None:
    spec: Spec = load_spec(small_spec)
    one = make_shard(spec, "one", [2, 0, 3], [[1, 1], [1, 2], [1, 3]])
    other = make_shard(
        spec, "other", [1, 0, 3], [[1, 1], [1, 2], [1, 3]]
    )  # nodes are numbered, so those of the first two differ
    found = within([one, other], [0, 0])
    assert found is not None
    assert (found.n, found.n_compared, found.n_same, found.is_same) == (3, 3, 0, False)
    again = within([one, one], [0, 0])
    assert again is not None
    assert (again.n_same, again.is_same) == (2, True)  # graphs of no nodes tell nothing
    assert within([one, other], [0, 1]) is None


def test_hashes_that_meet_are_no_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    original = duplicates.hash_ids  # type: ignore[attr-defined]
    monkeypatch.setattr(duplicates, "hash_ids", lambda ids: original(ids) % 16)
    shards: Any = [Stored([(0, value) for value in range(40)])]
    assert within(shards, [0]) is None
    shards = [Stored([(0, value) for value in [*range(40), 3]])]
    found = within(shards, [0])
    assert found is not None
    assert (found.n, found.first, found.second) == (1, (0, 3), (0, 40))


def test_one_id_for_all_is_found_at_once() -> None:
    shards: Any = [Stored([(0, 0)] * 200_000)]
    found = within(shards, [0])
    assert found is not None
    assert (found.n, found.first, found.second) == (199_999, (0, 0), (0, 1))
    assert Counter(map(tuple, shards[0].ids.tolist())) == {(0, 0): 200_000}
