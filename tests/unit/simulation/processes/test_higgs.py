"""Single Higgs bosons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from root_gnn.simulation.process import Process
from root_gnn.simulation.processes.higgs import PROCESSES
from root_gnn.simulation.record import EventRecord

pytestmark = pytest.mark.pythia
# Higgs bosons, tops, W and Z of every event; the top decays to a W
EXPECTED = {
    "ggF": (1, 0, 0, 0),
    "VBF": (1, 0, 0, 0),
    "WH": (1, 0, 1, 0),
    "ZH": (1, 0, 0, 1),
    "bbH": (1, 0, 0, 0),
    "tHjb": (1, 1, 1, 0),
}


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_event_has_its_bosons_and_tops(
    process: Process, generate: Callable[[Process], list[EventRecord]]
) -> None:
    for record in generate(process):
        outside_higgs = record.is_last_copy & (record.parent_kind(np.arange(len(record.pdg))) != 25)
        counts = [(outside_higgs & (record.kind == kind)).sum() / record.n_event for kind in (25, 6, 24, 23)]
        assert tuple(counts) == EXPECTED[process.name]
