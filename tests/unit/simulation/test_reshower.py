"""Showers of the same hard event: one physics, several draws."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

from root_gnn.simulation.parameters import settings_of
from root_gnn.simulation.process import find_process
from root_gnn.simulation.pythia import Generator
from root_gnn.simulation.record import EventRecord
from root_gnn.simulation.reshower import Reshowerer
from root_gnn.simulation.simulate import simulate

pytestmark = pytest.mark.pythia
QUICK = {"mpi": "off"}


def _partons(record: EventRecord, event: int) -> np.ndarray:
    """Incoming and outgoing partons of the hard process: code and momentum of entries 3 to 6."""
    rows = np.flatnonzero(record.event == event)[3:7]
    return np.stack((record.pdg[rows], record.px[rows], record.py[rows], record.pz[rows]), axis=1)


@pytest.mark.parametrize("name", ["Tbqq", "QCD", "VBF"])
def test_hard_partons_are_the_same_and_showers_differ(name: str) -> None:
    level = "events" if name == "VBF" else "jets"
    (settings,) = settings_of(find_process(name, level), QUICK, from_file=False)
    generator = Reshowerer(settings, seed=3, hard_seed=5, copies=3)
    record = generator.batch(4)
    assert record.n_event == 12 and generator.n_failed == 0 and generator.cross_section().value > 0
    hard = [_partons(record, event) for event in range(12)]
    for event in range(0, 12, 3):
        for copy in (1, 2):
            np.testing.assert_allclose(hard[event + copy], hard[event], atol=1e-6)
        totals = {round(float(record.pt[(record.event == event + copy) & record.final].sum()), 6) for copy in range(3)}
        assert len(totals) == 3
    assert not np.allclose(hard[0][2:], hard[3][2:])


def test_they_decay_the_same() -> None:
    (settings,) = settings_of(find_process("Tbl", "jets"), QUICK, from_file=False)
    record = Reshowerer(settings, seed=3, hard_seed=5, copies=2).batch(5)
    for event in range(0, 10, 2):
        leptons = [
            sorted(
                record.pdg[
                    (record.event == event + copy)
                    & (record.parent_kind(np.arange(len(record.pdg))) == 24)
                    & (record.kind > 10)
                    & (record.kind < 15)
                    & record.is_last_copy
                ]
            )
            for copy in (0, 1)
        ]
        assert leptons[0] == leptons[1] and len(leptons[0]) == 4


def test_one_shower_looks_like_a_shower_of_pythia_alone() -> None:
    (settings,) = settings_of(find_process("ttH"), QUICK, from_file=False)
    alone, again = Generator(settings, seed=9).batch(60), Reshowerer(settings, seed=4, hard_seed=6, copies=2).batch(30)
    for record in (alone, again):
        assert (record.kind[record.is_last_copy] == 25).sum() == 60
    n, m = (np.bincount(record.event[record.final], minlength=60) for record in (alone, again))
    assert abs(n.mean() - m.mean()) < 4 * np.hypot(n.std(), m.std()) / np.sqrt(30)


def test_events_are_linked_by_their_number(tmp_path: Path) -> None:
    (path,) = simulate(["ZH"], events=12, out=tmp_path, resimulate=3, params=QUICK)
    with uproot.open(path) as file:
        events, kept = file["Events"].arrays(), file["metadata/n_kept"].array()[0]
    assert len(events) == kept == 36
    assert events.resimulation.tolist() == [0, 1, 2] * 12
    number = ak.to_numpy(events.eventNumber).reshape(12, 3)
    assert (number == number[:, :1]).all() and len(np.unique(number)) == 12
    mass, pt = (ak.to_numpy(events[branch]).reshape(12, 3) for branch in ("Z_m", "Z_pt"))
    assert np.allclose(mass, mass[:, :1], atol=1e-3) and (np.ptp(pt, axis=1) > 0.1).all()


def test_jets_are_pairs_of_the_same_particle(tmp_path: Path) -> None:
    for path in simulate(["Tbqq", "QCD"], events=16, out=tmp_path, resimulate=2, params=QUICK, level="jets"):
        jets = uproot.open(path)["tree"].arrays()
        assert len(jets) == 32 and jets.resimulation.tolist() == [0, 1] * 16
        first, second = jets[::2], jets[1::2]
        for branch in ("eventNumber", "jet_index"):
            assert ak.all(first[branch] == second[branch])
        np.testing.assert_allclose(first.aux_genpart_mass, second.aux_genpart_mass, atol=1e-3)
        assert ak.all(first.jet_pt != second.jet_pt) and ak.all(abs(first.jet_eta - second.jet_eta) < 0.8)


def test_two_processes_shower_what_one_showers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("root_gnn.simulation.simulate.EVENTS_PER_CHUNK", 6)
    paths = [
        simulate(["WH"], events=12, out=tmp_path / str(jobs), jobs=jobs, resimulate=2, params=QUICK)[0]
        for jobs in (1, 2)
    ]
    alone, shared = (uproot.open(path)["Events"].arrays() for path in paths)
    assert all(ak.array_equal(alone[branch], shared[branch]) for branch in alone.fields)


def test_a_les_houches_file_is_showered_again(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "lhe" / "pp2tt_run01.lhe.gz"
    (path,) = simulate(["ttbar"], events=10, out=tmp_path, lhe=source, resimulate=2, params=QUICK)
    events = uproot.open(path)["Events"].arrays()
    mass = ak.to_numpy(events.top1_m).reshape(10, 2)
    assert (
        len(events) == 20 and (np.abs(mass[:, 0] - mass[:, 1]) < 1e-3).sum() >= 5
    )  # the harder top may be the other one
