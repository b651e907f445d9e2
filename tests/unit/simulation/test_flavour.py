"""Jet flavour from hadrons, and the b-tag."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from root_gnn.clustering.jets import Jets
from root_gnn.simulation.flavour import Tagger, hadron_flavour, tag
from root_gnn.simulation.record import EventRecord


def _jets(event: list[int], eta: list[float]) -> Jets:
    n = len(event)
    return Jets(np.array(event, dtype=np.int64), np.full(n, 50.0), np.array(eta), np.zeros(n), np.full(n, 60.0))


def test_a_hadron_counts_for_the_nearest_jet_of_its_event(make_record: Callable[..., EventRecord]) -> None:
    # event 0: B between two jets, nearer to the second; D with the B. Event 1: soft B, far D, D in the last jet.
    record = make_record(
        2,
        event=[0, 0, 1, 1, 1],
        pdg=[511, -421, 521, 421, 4122],
        pt=[20.0, 20.0, 4.0, 20.0, 20.0],
        eta=[0.25, 0.3, 0.0, 2.0, 1.0],
        phi=0.0,
    )
    jets = _jets([0, 0, 1, 1], [0.0, 0.4, 0.0, 1.2])
    assert hadron_flavour(record, jets, Tagger()).tolist() == [0, 5, 0, 4]
    assert hadron_flavour(record, _jets([], []), Tagger()).tolist() == []


@pytest.mark.parametrize(("flavour", "rate"), [(5, 0.70), (4, 0.10), (0, 0.01)])
def test_tag_rates(flavour: int, rate: float) -> None:
    n = 100_000
    tags = tag(np.full(n, flavour), np.zeros(n), Tagger(), np.random.default_rng(3))
    assert abs(tags.mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / n)
    assert not tag(np.full(n, flavour), np.full(n, 2.6), Tagger(), np.random.default_rng(3)).any()
