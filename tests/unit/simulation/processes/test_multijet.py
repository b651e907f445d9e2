"""Quark and gluon jets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from root_gnn.simulation.process import Process
from root_gnn.simulation.processes.multijet import PROCESSES
from root_gnn.simulation.record import EventRecord

pytestmark = pytest.mark.pythia


def test_two_hard_partons_and_nothing_heavy(generate: Callable[[Process], list[EventRecord]]) -> None:
    (process,) = PROCESSES
    (record,) = generate(process)
    assert not np.isin(record.kind, (6, 23, 24, 25)).any()
    hardest = [record.pt[(record.event == i) & np.isin(record.kind, (1, 2, 3, 4, 5, 21))].max() for i in range(5)]
    assert min(hardest) > 0.84 * 250.0  # below this the matrix element is cut off
