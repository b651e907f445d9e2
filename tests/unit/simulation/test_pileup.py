"""Collisions laid over events: as many as asked for, turned and moved, told apart by their tracks, and taken out of
jets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from root_gnn.errors import InputError
from root_gnn.simulation.detector import Detector, measure
from root_gnn.simulation.pileup import MinimumBias, PileUp
from root_gnn.simulation.record import APART, HARD, NEAR, EventRecord, Overlaid


@pytest.mark.parametrize("text", ["", "many", "-3", "0", "40,50", "40,5,1", "nan", "1e9"])
def test_bad_numbers(text: str) -> None:
    with pytest.raises(InputError, match=r"--pileup .*MEAN"):
        PileUp.parse(text)


def test_mean_and_spread() -> None:
    assert PileUp.parse("40") == PileUp(40.0) and PileUp.parse("35.5,8") == PileUp(35.5, 8.0)


@pytest.fixture(scope="module")
def pool() -> MinimumBias:
    pytest.importorskip("pythia8mc")
    return MinimumBias(PileUp(20.0, 4.0, n_distinct=30), ecm=13000.0, seed=5, detector=Detector())


@pytest.fixture
def overlaid(pool: MinimumBias, make_record: Callable[..., EventRecord]) -> tuple[EventRecord, EventRecord]:
    n = 200
    event = np.repeat(np.arange(n), 2)
    hard = make_record(
        n,
        event=event,
        pdg=np.tile([23, 13], n),
        pt=np.tile([30.0, 25.0], n),
        eta=0.3,
        phi=0.1,
        mother=np.where(np.arange(2 * n) % 2, np.arange(2 * n) - 1, -1),
        final=np.tile([False, True], n),
    )
    return hard, pool.overlay(hard, np.random.default_rng(4))


@pytest.mark.pythia
def test_the_hard_event_stays_and_others_follow_it(overlaid: tuple[EventRecord, EventRecord]) -> None:
    hard, record = overlaid
    assert record.overlaid is not None
    assert (np.diff(record.event) >= 0).all()
    own = record.overlaid.collision == HARD
    for name in ("event", "pdg", "final", "px", "py", "pz", "energy", "x", "y", "z"):
        assert np.array_equal(getattr(record, name)[own], getattr(hard, name))
    assert (record.pdg[record.mother[record.kind == 13][:1]] == 23).all()
    assert np.array_equal(record.event[record.mother], record.event)


@pytest.mark.pythia
def test_number_and_positions_of_the_collisions(overlaid: tuple[EventRecord, EventRecord], pool: MinimumBias) -> None:
    _, record = overlaid
    assert record.overlaid is not None
    count = record.overlaid.n_collision
    assert abs(count.mean() - 20.0) < 4 * np.sqrt((20.0 + 16.0) / len(count))
    assert 20.0 < count.var() < 60.0  # Poisson and spread together: 36
    others = record.overlaid.collision != HARD
    apart = record.overlaid.collision[others] == APART
    assert 0.97 < apart.mean() < 1.0  # all but 1.3 % of a Gaussian of 60 mm lie farther than 1 mm
    assert record.z[others].std() == pytest.approx(60.0, rel=0.1)
    assert abs(np.mean(record.phi[others] > 0) - 0.5) < 0.05 and abs(np.mean(record.eta[others] > 0) - 0.5) < 0.05


def test_tracks_of_other_collisions_are_left_out_and_clusters_stay(make_record: Callable[..., EventRecord]) -> None:
    n = 400
    eta = np.tile([0.2, 0.9, 1.3], n)
    record = make_record(n, event=np.repeat(np.arange(n), 3), pdg=np.tile([211, 211, 22], n), pt=20.0, eta=eta, phi=0.0)
    place = np.concatenate([[HARD, NEAR, APART, APART] for _ in range(n)])  # the event's own entry first
    charged = replace(record, overlaid=Overlaid(np.ones(n, dtype=np.int64), place))
    seen = measure(charged, Detector(), np.random.default_rng(1))
    alone = measure(record, Detector(), np.random.default_rng(1))
    n_track = [int((one.charge != 0).sum()) for one in (seen, alone)]
    assert n_track == [int((alone.charge[np.isclose(alone.eta, 0.2, atol=0.1)] != 0).sum()), n_track[1]]
    assert n_track[0] < 0.6 * n_track[1]
    assert (seen.kind == 2).sum() == (alone.kind == 2).sum() > 0.9 * n


@pytest.mark.pythia
def test_jets_stay_in_number_and_missing_momentum_gets_worse(simulated: Path, tmp_path: Path) -> None:
    pytest.importorskip("fastjet")
    from root_gnn.simulation.simulate import simulate

    (path,) = simulate(
        ["ttbar"], events=100, out=tmp_path, seed=5, params={"mpi": "off"}, pileup=PileUp(30.0, n_distinct=200)
    )
    with uproot.open(path) as file, uproot.open(simulated / "ttbar.root") as other:
        crowded, quiet = file["Events"].arrays(), other["Events"].arrays(entry_stop=100)
    assert abs(ak.mean(crowded.n_pileup) - 30.0) < 4 * np.sqrt(30.0 / 100)
    assert ak.mean(crowded.njet) == pytest.approx(ak.mean(quiet.njet), rel=0.15)
    assert ak.mean(crowded.met_sumet) > 2 * ak.mean(quiet.met_sumet)
    assert abs(ak.mean(crowded.top1_pt) - ak.mean(quiet.top1_pt)) < 1e-3  # the hard events are the same
