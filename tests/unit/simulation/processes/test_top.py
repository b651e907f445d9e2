"""Top pairs and single tops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from root_gnn.simulation.process import Process
from root_gnn.simulation.processes.top import PROCESSES

pytestmark = pytest.mark.pythia
TOPS = {"ttbar": 2, "singletop_t": 1, "singletop_s": 1, "tW": 1, "FCNC": 2}


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_event_has_its_tops_and_only_the_rare_decay_a_higgs_boson(
    process: Process, count_particles: Callable[..., list[Any]]
) -> None:
    assert set(count_particles(process, (6, 25))) == {(TOPS[process.name], int(process.name == "FCNC"))}
