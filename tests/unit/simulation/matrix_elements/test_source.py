"""Hard events in the Les Houches format."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pythia8mc")

from root_gnn.simulation.matrix_elements.hard_events import HardEvents
from root_gnn.simulation.matrix_elements.phase_space import N_RANDOM, sample
from root_gnn.simulation.matrix_elements.source import colour_flow, les_houches_rows


@pytest.mark.parametrize("first", [21, 2, -2])
@pytest.mark.parametrize("near", [True, False])
def test_colour_is_conserved(first: int, near: bool) -> None:
    flow = colour_flow(first, first_near=near)
    sources = [c for c, _ in flow[:2]] + [a for _, a in flow[2:]]  # lines that begin, then lines that end
    sinks = [a for _, a in flow[:2]] + [c for c, _ in flow[2:]]
    assert sorted(filter(None, sources)) == sorted(filter(None, sinks))
    assert all(colour != anticolour or not colour for colour, anticolour in flow)


def test_rows_are_partons_top_antitop_and_higgs_boson() -> None:
    point = sample(np.random.default_rng(3).uniform(0.1, 0.9, (2, N_RANDOM)), 13000.0).point
    codes = np.array([[21, 21], [-1, 1]])
    events = HardEvents(point, codes, np.array([True, False]), np.array([100.0, 200.0]))
    lines = les_houches_rows(events, 1)
    assert [line[0] for line in lines] == [-1, 1, 6, -6, 25]
    assert [line[1] for line in lines] == [-1, -1, 1, 1, 1]  # incoming, outgoing
    assert [line[2:4] for line in lines] == [(0, 0), (0, 0), (1, 2), (1, 2), (1, 2)]
    np.testing.assert_allclose(lines[2][6:10], point.top[1, [1, 2, 3, 0]])
    assert [line[10] for line in lines] == [0.0, 0.0, 173.0, 173.0, 125.0]
