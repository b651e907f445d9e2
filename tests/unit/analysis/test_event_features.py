"""Features of events, against sums over their objects one by one."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from root_gnn.analysis.event_features import check_events, event_features
from root_gnn.data.events.config import DataConfig
from root_gnn.data.events.table import EventTable, open_table
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError


@pytest.fixture(scope="module")
def table(ntuples: Path) -> EventTable:
    return open_table(DataConfig(files=("ttH.root",)), ntuples)


def by_hand(nodes: np.ndarray) -> dict[int, float]:
    """Some columns of one event from its rows of pt, eta, phi, energy, btag, charge, type."""
    jets = sorted((row for row in nodes if row[6] == 0), key=lambda row: -row[0])
    leptons = sorted((row for row in nodes if row[6] in (1, 2)), key=lambda row: -row[0])
    (met,) = (row for row in nodes if row[6] == 4)
    found = {
        0: len(jets),
        1: sum(row[6] == 1 for row in nodes),
        4: sum(row[4] > 0 for row in jets),
        5: sum(row[0] for row in jets),
    }
    found |= {6 + k: row[0] for k, row in enumerate(jets[:6])} | {14 + k: row[0] for k, row in enumerate(leptons[:2])}
    for place, pair in zip(range(25, 31), sorted(combinations(range(4), 2), key=lambda pair: pair[1]), strict=True):
        if max(pair) < len(jets):
            found[place] = mass(jets[pair[0]], jets[pair[1]])
    if leptons:
        found[39] = math.sqrt(2.0 * leptons[0][0] * met[0] * (1.0 - math.cos(leptons[0][2] - met[2])))
    return found


def mass(one: np.ndarray, other: np.ndarray) -> float:
    momenta = [
        (row[3], row[0] * math.cos(row[2]), row[0] * math.sin(row[2]), row[0] * math.sinh(row[1]))
        for row in (one, other)
    ]
    energy, *momentum = (sum(parts) for parts in zip(*momenta, strict=True))
    return math.sqrt(max(energy**2 - sum(part**2 for part in momentum), 0.0))


def test_features_are_those_of_the_objects_one_by_one(table: EventTable) -> None:
    batch = table.gather(np.arange(40))
    found = event_features(batch, table.features)
    begin = np.concatenate([[0], np.cumsum(batch.n_node.numpy())])
    n_lepton = 0
    for event, row in enumerate(found):
        expected = by_hand(batch.nodes.numpy().astype(np.float64)[begin[event] : begin[event + 1]])
        np.testing.assert_allclose(row[list(expected)], list(expected.values()), rtol=1e-6, atol=1e-3)
        n_lepton += 39 in expected
        assert np.isnan(row[39]) == (39 not in expected)
    assert found.shape == (40, 45) and 3 < n_lepton < 40


def test_other_graphs_have_no_such_features(table: EventTable) -> None:
    check_events(table.spec)
    with pytest.raises(InputError, match="one for each jet"):
        check_events(load_spec("jetclass"))
    nodes = dict(zip(("electron", "jet"), table.spec.nodes.values(), strict=False))
    with pytest.raises(InputError, match="type 0 is electron"):
        check_events(table.spec.model_copy(update={"nodes": nodes}))
