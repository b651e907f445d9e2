"""Events that stand in several rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from root_gnn.data.events.whole_events import WholeEvents


def test_rows_of_an_event_are_found_wherever_they_stand() -> None:
    found = WholeEvents.grouped(np.array([[7], [3], [7], [5], [3], [7]]))
    assert found.event.tolist() == [0, 1, 0, 2, 1, 0] and found.count.tolist() == [3, 2, 1]
    assert found.leading(np.arange(6)).tolist() == [0, 1, 3]
    assert found.leading(np.array([2, 4, 3, 1])).tolist() == [3, 1], (
        "a row that is not the first of its event leads nothing"
    )
    assert found.all_rows(np.array([3, 0])).tolist() == [3, 0, 2, 5]
    assert found.all_rows(np.zeros(0, dtype=np.int64)).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=40))
def test_every_row_comes_once_with_its_event(ids: list[tuple[int, int]]) -> None:
    table = np.array(ids)
    found = WholeEvents.grouped(table)
    rows = found.all_rows(found.leading(np.arange(len(table))))
    assert sorted(rows.tolist()) == list(range(len(table)))
    naive: dict[tuple[int, int], list[int]] = {}
    for row, one in enumerate(ids):
        naive.setdefault(one, []).append(row)
    assert rows.tolist() == [row for members in naive.values() for row in members]
