"""A top pair with a Higgs boson."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from root_gnn.simulation.process import Process
from root_gnn.simulation.processes.top_pair_higgs import PROCESSES

pytestmark = pytest.mark.pythia


SLOW = ("ttH_CPeven", "ttH_CP")  # each CP angle samples its own amplitudes
EACH = [
    pytest.param(process, id=process.name, marks=[pytest.mark.slow] * (process.name in SLOW)) for process in PROCESSES
]


@pytest.mark.parametrize("process", EACH)
def test_every_event_has_a_top_pair_and_a_higgs_boson(
    process: Process, count_particles: Callable[..., list[Any]]
) -> None:
    assert set(count_particles(process, (6, 25))) == {(2, 1)}


def test_the_angles_are_odd_even_and_mixed() -> None:
    angles = {process.name: process.cp_angle for process in PROCESSES}
    assert angles == {"ttH": None, "ttH_CPodd": 90.0, "ttH_CPeven": 0.0, "ttH_CP": 45.0}
