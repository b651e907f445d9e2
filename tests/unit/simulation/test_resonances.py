"""Decays and matching on events written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from root_gnn.clustering.jets import Jets
from root_gnn.simulation.record import EventRecord
from root_gnn.simulation.resonances import Decay, find_resonances, match_jets

# t (with a copy that radiated) -> b W, W (with a copy) -> two products, one place each
TOP = {"pdg": [6, 6, 21, 24, 5, 24, -1, 2], "mother": [-1, 0, 0, 1, 1, 3, 5, 5]}
HADRONIC, LEPTONIC = Decay(6, 3), Decay(6, 3, n_lepton=1)


def _top(make_record: Callable[..., EventRecord], **changes: Any) -> EventRecord:
    eta = [3.0, 0.1, -2.0, 0.1, 0.3, 0.1, 0.0, -0.2]
    return make_record(1, **{"event": [0] * 8, **TOP, "pt": 100.0, "eta": eta, "phi": 3.1, **changes})


def _jets(*axes: tuple[int, float, float]) -> Jets:
    event, eta, phi = (np.array(values) for values in zip(*axes, strict=True))
    return Jets(event, np.full(len(event), 600.0), eta, phi, np.full(len(event), 700.0))


def test_a_top_is_matched_when_all_of_it_is_inside(make_record: Callable[..., EventRecord]) -> None:
    record = _top(make_record)
    found = find_resonances(record, HADRONIC)
    assert record.pdg[found.parent].tolist() == [6] and record.eta[found.parent] == pytest.approx(
        0.1
    )  # the copy that decays
    assert sorted(record.pdg[found.product].tolist()) == [-1, 2, 5]
    held = match_jets(record, _jets((0, 0.1, -3.1), (0, 0.75, 3.1), (0, 0.1, 0.0)), found, 0.8)
    assert held.tolist() == [found.parent[0], -1, -1]  # the second lacks a quark at eta -0.2


@pytest.mark.parametrize(
    ("pdg", "decay", "n"),
    [
        ([-11, 12], HADRONIC, 0),
        ([-11, 12], LEPTONIC, 1),
        ([-15, 16], LEPTONIC, 0),
        ([-1, 2], LEPTONIC, 0),
        ([-3, 4], HADRONIC, 1),
    ],
)
def test_decays_of_the_w_choose_the_class(
    make_record: Callable[..., EventRecord], pdg: list[int], decay: Decay, n: int
) -> None:
    record = _top(make_record, pdg=[*TOP["pdg"][:6], *pdg])
    assert len(find_resonances(record, decay).parent) == n


def test_neutrinos_may_leave_the_jet(make_record: Callable[..., EventRecord]) -> None:
    record = _top(make_record, pdg=[*TOP["pdg"][:6], -11, 12], eta=[3.0, 0.1, -2, 0.1, 0.3, 0.1, 0.0, -2.0])
    assert match_jets(record, _jets((0, 0.1, 3.1)), find_resonances(record, LEPTONIC), 0.8)[0] > 0
    record = _top(make_record, pdg=[*TOP["pdg"][:6], -11, 12], eta=[3.0, 0.1, -2, 0.1, 0.3, 0.1, -2.0, 0.0])
    assert match_jets(record, _jets((0, 0.1, 3.1)), find_resonances(record, LEPTONIC), 0.8)[0] == -1


def test_flavours_and_events_are_kept_apart(make_record: Callable[..., EventRecord]) -> None:
    record = make_record(
        2, event=[0, 0, 0, 1, 1, 1], pdg=[25, 5, -5, 25, 4, -4], mother=[-1, 0, 0, -1, 3, 3], pt=300.0, eta=0.0, phi=0.0
    )
    jets = _jets((0, 0.1, 0.1), (1, 0.1, 0.1))
    for flavour, which in ((5, 0), (4, 1)):
        held = match_jets(record, jets, find_resonances(record, Decay(25, 2, flavour=flavour)), 0.8)
        assert record.event[held[which]] == which and held[1 - which] == -1
    assert (match_jets(record, jets, find_resonances(record, Decay(23, 2)), 0.8) == -1).all()
