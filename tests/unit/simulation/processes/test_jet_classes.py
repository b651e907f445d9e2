"""The classes of jets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from root_gnn.simulation.process import Process
from root_gnn.simulation.processes.jet_classes import PROCESSES
from root_gnn.simulation.record import EventRecord
from root_gnn.simulation.resonances import find_resonances

pytestmark = pytest.mark.pythia


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_every_event_has_the_decay_of_its_class(
    process: Process, generate: Callable[[Process], list[EventRecord]]
) -> None:
    assert process.jets is not None and process.jets.label == process.name
    decay = process.jets.decay
    for record in generate(process):
        if decay is None:
            assert not np.isin(record.kind, (6, 23, 24, 25)).any()
            continue
        n_decay = np.bincount(record.event[find_resonances(record, decay).parent], minlength=record.n_event)
        assert set(n_decay.tolist()) == {1 if decay.parent == 25 else 2}
