"""Slots for scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from root_gnn.prediction.alignment import EntryAlignment

LISTS = EntryAlignment(np.array([0, 2]), 4, 3, np.array([2, 0, 2]), {})


def test_values_go_to_their_slots_and_others_are_missing() -> None:
    assert LISTS.spread(np.array([5, 7]), -1).tolist() == [5, -1, 7, -1]


def test_alignments_are_the_same_if_entries_have_the_same_slots() -> None:
    assert LISTS.is_same(replace(LISTS, of_graph=np.array([1, 3])))
    assert not LISTS.is_same(replace(LISTS, per_entry=np.array([1, 1, 2])))
    assert not LISTS.is_same(replace(LISTS, per_entry=None))
