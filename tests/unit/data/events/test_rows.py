"""Columns that stay in their files, against the same arrays put together in memory."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from root_gnn.data.events import rows as event_rows
from root_gnn.data.events.rows import EventColumn, EventRows, hash_of, uniform_of
from root_gnn.graph.hashing import hash_ids, uniform


class Part:
    """Stands for a shard."""

    def __init__(self, ids: Any) -> None:
        self.ids, self.weight = ids, ids[:, 0].astype(np.float64) / 3


def parts(sizes: list[int]) -> list[Any]:
    numbers = np.arange(3 * sum(sizes), dtype=np.int64).reshape(-1, 3) * 7 - 20
    return [Part(part) for part in np.split(numbers, np.cumsum(sizes)[:-1])]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=6).filter(sum), st.booleans(), st.data())
def test_a_column_reads_as_its_array_does(sizes: list[int], leave_out: bool, data: st.DataObject) -> None:
    n = sum(sizes)
    kept = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1)))) if leave_out else None
    shards, rows = parts(sizes), EventRows(sizes, kept)
    ids, weight = EventColumn(shards, "ids", rows), EventColumn(shards, "weight", rows)
    there = slice(None) if kept is None else kept
    every = np.concatenate([shard.ids for shard in shards])[there]
    assert (
        len(ids) == len(weight) == len(every)
        and ids.shape == every.shape
        and ids.dtype == np.int64
        and weight.shape == every.shape[:1]
    )
    index = np.array(data.draw(st.lists(st.integers(0, len(every) - 1), max_size=12)), dtype=np.int64)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(every), max_size=len(every))))
    first, last = sorted(data.draw(st.tuples(st.integers(0, len(every)), st.integers(0, len(every) + 3))))
    keys = (
        index,
        mask,
        slice(first, last),
        slice(None),
        slice(None, None, 2),
        0,
        (index, 1),
        (slice(first, last), slice(0, 2)),
    )
    for key in keys:
        np.testing.assert_array_equal(ids[key], every[key])
    np.testing.assert_array_equal(np.asarray(weight), every[:, 0] / 3)
    np.testing.assert_array_equal(np.abs(weight), np.abs(every[:, 0] / 3))  # a column may stand where an array may
    np.testing.assert_array_equal(EventColumn(shards, "ids", rows, only=[2, 0])[index], every[index][:, [2, 0]])
    shard_of = np.repeat(np.arange(len(sizes)), sizes)[there]
    np.testing.assert_array_equal(rows.shard_of(index), shard_of[index])
    with pytest.raises(IndexError):
        ids[np.array([n])]


def test_hashes_block_by_block_are_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_rows, "BLOCK", 4)
    shards = parts([3, 0, 5, 9])
    ids = EventColumn(shards, "ids", EventRows([3, 0, 5, 9]))
    every = torch.from_numpy(np.asarray(ids))
    assert uniform_of(ids, (5,)).tolist() == uniform(every, (5,)).tolist()
    assert hash_of(ids).tolist() == hash_ids(every).tolist()
    rows = np.array([16, 3, 3, 0, 8, 9])
    assert uniform_of(ids, (5,), rows).tolist() == uniform(every[rows], (5,)).tolist()


def test_a_column_travels_without_its_numbers() -> None:
    rows = EventRows([10**6, 10**7])
    assert len(rows) == 11 * 10**6
    assert len(pickle.dumps(rows)) < 1000
