"""Memory of a process of its own, against an array of known size."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from root_gnn.bench.memory import MIB, anonymous, peak, watched

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
N_MIB = 64


def fill(n_mib: int) -> int:
    """Holds so much memory for a moment."""
    array = np.ones(n_mib * MIB, dtype=np.uint8)
    time.sleep(0.2)
    return int(array[0])


def own_peak(n_mib: int) -> int:
    return peak(lambda: fill(n_mib))


def leave(code: int) -> None:
    sys.exit(code)


def test_the_watched_process_is_seen_at_its_largest() -> None:
    found = watched(fill, N_MIB)
    assert found.result == 1
    assert N_MIB - 1 < found.peak_mib - found.before_mib < 2 * N_MIB
    assert 0.2 <= found.seconds < 60


def test_the_peak_is_that_of_the_run_alone() -> None:
    small, large = (watched(own_peak, n_mib).result / MIB for n_mib in (1, N_MIB))
    assert N_MIB - 1 < large < N_MIB + 16  # some of its pages may have been there before
    assert small < 17


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(RuntimeError, match="ended without a result: leave"):
        watched(leave, 3)


def test_no_process_has_no_memory() -> None:
    assert anonymous(2**31 - 1) == 0
