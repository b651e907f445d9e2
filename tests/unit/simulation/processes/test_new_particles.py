"""Particles beyond the standard model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from root_gnn.simulation.process import Process
from root_gnn.simulation.processes.new_particles import PROCESSES

pytestmark = pytest.mark.pythia
# kinds and their number in every event
EXPECTED = {
    "STOP": {1000006: 2, 1000022: 2, 6: 2},
    "HH4b": {5100039: 1, 25: 2},
    "Wprime": {34: 1, 6: 1},
    "Zprime": {32: 1, 6: 2},
    "tttt_scalar": {35: 1, 6: 4},
}


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_event_has_the_new_particle_and_its_products(
    process: Process, count_particles: Callable[..., list[Any]]
) -> None:
    expected = EXPECTED[process.name]
    assert set(count_particles(process, tuple(expected))) == {tuple(expected.values())}
