"""Seeds and event numbers: never shared between chunks, seeds or processes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.simulation.chunk import (
    EVENTS_PER_CHUNK,
    LARGEST_CHUNK,
    LARGEST_USER_SEED,
    Chunk,
    _number,
    pythia_seed,
    run_chunk,
)
from root_gnn.simulation.pythia import LARGEST_SEED
from root_gnn.simulation.rows import NtupleRows

SEEDS, IDS, CHUNKS = st.integers(0, LARGEST_USER_SEED), st.integers(1, 127), st.integers(0, LARGEST_CHUNK)


def _first_and_last(process_id: int, seed: int, index: int) -> tuple[int, int]:
    n = np.arange(EVENTS_PER_CHUNK)
    columns = _number(NtupleRows({}, n, n, np.zeros_like(n)), Chunk(process_id, seed, index, ((),), EVENTS_PER_CHUNK))
    assert columns["eventNumber"].dtype == np.int64
    return int(columns["eventNumber"][0]), int(columns["eventNumber"][-1])


@settings(max_examples=60, deadline=None)
@given(IDS, SEEDS, CHUNKS, IDS, SEEDS, CHUNKS)
def test_event_numbers_of_different_chunks_never_meet(p: int, s: int, c: int, q: int, t: int, d: int) -> None:
    (low, high), (other_low, other_high) = _first_and_last(p, s, c), _first_and_last(q, t, d)
    assert 0 <= low <= high < 2**63
    assert ((p, s, c) == (q, t, d)) == (low == other_low)
    assert (p, s, c) == (q, t, d) or high < other_low or other_high < low


@settings(max_examples=30, deadline=None)
@given(SEEDS, IDS)
def test_runs_of_a_file_have_seeds_of_their_own(seed: int, process_id: int) -> None:
    seeds = [pythia_seed(seed, process_id, run) for run in range(300)]
    assert len(set(seeds)) == 300
    assert min(seeds) >= 1 and max(seeds) <= LARGEST_SEED


def test_seeds_of_two_processes_differ() -> None:
    assert pythia_seed(1, 3, 0) != pythia_seed(1, 4, 0) != pythia_seed(2, 4, 0)


@pytest.mark.pythia
def test_tried_events_are_counted_up_to_the_last_kept() -> None:
    pytest.importorskip("fastjet")
    from root_gnn.simulation.parameters import settings_of
    from root_gnn.simulation.process import find_process

    chunk = Chunk(1, 1, 0, settings_of(find_process("ggF"), {"mpi": "off"}, from_file=False), 40)
    result = run_chunk(chunk)
    assert len(result.columns["weight"]) == len(result.tried_at) == 40
    assert (np.diff(result.tried_at) >= 1).all()
    assert result.tried_at[-1] == result.n_tried > 40
    np.testing.assert_allclose(result.weight_at, result.tried_at)
    assert result.sum_of_weights == result.n_tried
