"""A top pair with further particles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from root_gnn.simulation.process import Process
from root_gnn.simulation.processes.top_pair_with import PROCESSES

pytestmark = pytest.mark.pythia
# tops, W and Z of every event without decays of the Z: each top decays to a W
EXPECTED = {"ttW": (2, 3, 0), "ttZ": (2, 2, 1), "ttyy": (2, 2, 0), "tttt": (4, 4, 0)}


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_event_has_its_tops_and_bosons(process: Process, count_particles: Callable[..., list[Any]]) -> None:
    counts = set(count_particles(process, (6, 24, 23)))
    if process.name == "ttt":  # with a W, or with a quark
        assert counts <= {(3, 4, 0), (3, 3, 0)}
    else:
        assert counts == {EXPECTED[process.name]}
