"""Rows of the ntuple, and the items they belong to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from root_gnn.simulation.detector import Detector
from root_gnn.simulation.ntuple import Layout
from root_gnn.simulation.objects import ObjectSelection
from root_gnn.simulation.record import EventRecord
from root_gnn.simulation.rows import NtupleRows, event_rows, first_items, join, shuffle

LAYOUT = Layout("tree", {"part": {"x": np.dtype(np.float32)}}, {"weight": np.dtype(np.float32)})


def _rows(item: list[int], hard: list[int], first: int = 0) -> NtupleRows:
    """Rows with 0, 1, 2, 0, ... objects of the weight of their row; weights count the rows from `first`."""
    n = len(item)
    weight, count = np.arange(first, first + n), np.arange(n) % 3
    columns = {"weight": weight, "npart": count, "part_x": np.repeat(weight, count)}
    return NtupleRows(columns, np.array(item), np.array(hard), np.zeros(n, dtype=np.int64))


def _objects_follow_their_rows(rows: NtupleRows) -> bool:
    return rows.columns["part_x"].tolist() == np.repeat(rows.columns["weight"], rows.columns["npart"]).tolist()


def test_items_and_hard_events() -> None:
    rows = _rows([0, 0, 1, 2, 2], [7, 7, 3, 7, 7])
    assert rows.n_item == 3 and rows.hard_of_item.tolist() == [7, 3, 7]
    assert rows.event_rank().tolist() == [0, 0, 1, 0, 0]  # in the order in which they appear
    assert _rows([], []).n_item == 0


def test_join_counts_items_on() -> None:
    both = join([_rows([0, 0, 1], [0, 0, 1]), _rows([0, 1], [2, 3], first=3)])
    assert both.item.tolist() == [0, 0, 1, 2, 3] and both.hard.tolist() == [0, 0, 1, 2, 3]
    assert both.columns["weight"].tolist() == [0, 1, 2, 3, 4] and _objects_follow_their_rows(both)


def test_first_items_keep_all_their_rows() -> None:
    few = first_items(_rows([0, 0, 1, 1, 2], [0, 0, 1, 1, 2]), 2, LAYOUT)
    assert few.item.tolist() == [0, 0, 1, 1] and few.columns["weight"].tolist() == [0, 1, 2, 3]
    assert _objects_follow_their_rows(few)


def test_shuffle_keeps_items_together() -> None:
    rows = shuffle(_rows([0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 1, 1, 2, 2, 3, 3]), np.random.default_rng(2), LAYOUT)
    assert rows.item.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and rows.hard.tolist() != [0, 0, 1, 1, 2, 2, 3, 3]
    assert sorted(rows.hard.tolist()) == [0, 0, 1, 1, 2, 2, 3, 3] and _objects_follow_their_rows(rows)
    assert rows.columns["weight"].reshape(-1, 2)[:, 0].tolist() == (2 * rows.hard[::2]).tolist()


def test_a_hard_event_needs_all_its_showers(make_record: Callable[..., EventRecord]) -> None:
    pytest.importorskip("fastjet")
    # two showers of each of two hard events; the second shower of the first has one photon only
    event = np.array([0, 0, 1, 2, 2, 3, 3])
    phi = np.array([0.0, 2.0, 0.0, 0.0, 2.0, 0.0, 2.0])
    record = make_record(4, event=event, pdg=22, pt=200.0, eta=0.3, phi=phi)
    rows = event_rows(record, Detector(), ObjectSelection(), np.random.default_rng(1), copies=2)
    assert rows.hard.tolist() == [1, 1] and rows.copy.tolist() == [0, 1] and rows.item.tolist() == [0, 0]
    assert len(rows.columns["weight"]) == 2
