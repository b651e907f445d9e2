"""Index arithmetic of event records against plain loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from root_gnn.simulation.record import EventRecord, span_pairs


def test_span_pairs_against_loops() -> None:
    rng = np.random.default_rng(2)
    start = rng.integers(0, 20, 30)
    stop = start + rng.integers(0, 5, 30)
    owner, other = span_pairs(start, stop)
    assert list(zip(owner, other, strict=True)) == [(i, j) for i in range(30) for j in range(start[i], stop[i])]


def test_no_pairs() -> None:
    owner, other = span_pairs(np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    assert len(owner) == len(other) == 0


def test_copies_and_parents(make_record: Callable[..., EventRecord]) -> None:
    # a Higgs, its copy after recoil, two W from it, one with a copy; a W of its own
    record = make_record(
        1, event=[0] * 6, pdg=[25, 25, 24, -24, 24, 24], mother=[-1, 0, 1, 1, 2, -1], pt=1.0, eta=0.0, phi=0.0
    )
    last = np.flatnonzero(record.is_last_copy & (record.kind == 24))
    assert [record.parent_kind(np.array([i]))[0] for i in last] == [25, 25, 90]
    assert (record.is_last_copy & (record.pdg == 25)).sum() == 1
