"""One or two vector bosons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from root_gnn.simulation.process import Process
from root_gnn.simulation.processes.vector_bosons import PROCESSES

pytestmark = pytest.mark.pythia


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_event_has_its_bosons(process: Process, count_particles: Callable[..., list[Any]]) -> None:
    counts = count_particles(process, (23, 24))
    if process.name == "diboson":
        assert {n_z + n_w for n_z, n_w in counts} == {2}
    else:
        assert set(counts) == {{"Zjets": (1, 0), "Wjets": (0, 1)}[process.name]}


def test_the_photon_is_heavier_than_50_gev() -> None:
    from root_gnn.simulation.pythia import Generator

    process = next(process for process in PROCESSES if process.name == "Zjets")
    settings = (*process.settings, "Beams:eCM=13000", "PartonLevel:MPI=off", "HadronLevel:all=off")
    record = Generator(settings, seed=1).batch(300)
    mass = record.mass[record.is_last_copy & (record.kind == 23)]
    assert len(mass) == 300 and 50.0 < mass.min() < 70.0
