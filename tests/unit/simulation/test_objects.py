"""Reconstructed objects of really generated events against plain loops over candidates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

from root_gnn.simulation.detector import ELECTRON, MUON, Candidates, Detector, measure
from root_gnn.simulation.flavour import BOTTOM_HADRONS, CHARM_HADRONS
from root_gnn.simulation.ntuple import NtupleColumns
from root_gnn.simulation.objects import LeptonCuts, ObjectSelection, _activity, preselected, reconstruct
from root_gnn.simulation.parameters import settings_of
from root_gnn.simulation.process import find_process
from root_gnn.simulation.pythia import Generator
from root_gnn.simulation.record import EventRecord

Made = tuple[EventRecord, Candidates, NtupleColumns]
NOISELESS = ObjectSelection(met_noise=0.0, met_noise_growth=0.0)


@pytest.fixture(scope="module")
def made() -> Made:
    (settings,) = settings_of(find_process("ttbar"), {"mpi": "off"}, from_file=False)
    record = Generator(settings, seed=4).batch(100)
    candidates = measure(record, Detector(), np.random.default_rng(1))
    return record, candidates, reconstruct(record, candidates, NOISELESS, np.random.default_rng(2))


def _distance(eta_a: float, phi_a: float, eta_b: float, phi_b: float) -> float:
    return float(np.hypot(eta_a - eta_b, np.angle(np.exp(1j * (phi_a - phi_b)))))


def test_missing_momentum_is_minus_the_sum_of_the_measured(made: Made) -> None:
    _, candidates, columns = made
    for event in range(candidates.n_event):
        mine = candidates.event == event
        x, y = (
            -(candidates.pt * np.cos(candidates.phi))[mine].sum(),
            -(candidates.pt * np.sin(candidates.phi))[mine].sum(),
        )
        assert columns["met_met"][event] == pytest.approx(np.hypot(x, y), rel=1e-5)
        assert np.cos(columns["met_phi"][event] - np.arctan2(y, x)) == pytest.approx(1.0, abs=1e-6)
        assert columns["met_sumet"][event] == pytest.approx(candidates.pt[mine].sum(), rel=1e-5)


def test_noise_of_missing_momentum_has_the_documented_size(made: Made) -> None:
    record, candidates, clean = made
    pulls = []
    for seed in range(10):
        noisy = reconstruct(record, candidates, ObjectSelection(), np.random.default_rng(seed))
        width = np.hypot(4.0, 0.25 * np.sqrt(clean["met_sumet"]))
        pulls += [
            (noisy["met_met"] * f(noisy["met_phi"]) - clean["met_met"] * f(clean["met_phi"])) / width
            for f in (np.cos, np.sin)
        ]
    values = np.concatenate(pulls)
    assert values.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * len(values)))
    assert values.mean() == pytest.approx(0.0, abs=4 / np.sqrt(len(values)))


def test_isolation_against_a_loop(made: Made) -> None:
    _, candidates, _ = made
    index = np.flatnonzero(np.isin(candidates.kind, (ELECTRON, MUON)))[:60]
    expected = []
    for i in index:
        others = [
            j
            for j in np.flatnonzero(candidates.event == candidates.event[i])
            if j != i and _distance(candidates.eta[i], candidates.phi[i], candidates.eta[j], candidates.phi[j]) < 0.3
        ]
        expected.append(candidates.pt[others].sum() / candidates.pt[i])
    np.testing.assert_allclose(_activity(candidates, index, 0.3), expected, rtol=1e-9, atol=1e-12)


def test_objects_pass_their_cuts_and_are_sorted(made: Made) -> None:
    _, _, columns = made
    selection = ObjectSelection()
    for name, cuts in (
        ("ele", selection.electron),
        ("mu", selection.muon),
        ("ph", selection.photon),
        ("jet", LeptonCuts(selection.jet_min_pt, selection.jet_max_eta, 0.0)),
    ):
        assert len(columns[f"{name}_pt"]) == columns[f"n{name}"].sum()
        assert (columns[f"{name}_pt"] > cuts.min_pt).all()
        assert (np.abs(columns[f"{name}_eta"]) < cuts.max_eta).all()
        event = np.repeat(np.arange(100), columns[f"n{name}"])
        falling = np.diff(columns[f"{name}_pt"]) <= 0
        assert falling[np.diff(event) == 0].all()
    assert columns["njet"].sum() > 300 and columns["nele"].sum() + columns["nmu"].sum() > 15
    assert set(np.unique(columns["mu_charge"])) <= {-1, 1}


def test_overlaps_are_removed(made: Made) -> None:
    """No jet lies on an isolated electron or photon, and without isolation cuts the leptons' momentum moves out of
    the jets.
    """
    record, candidates, columns = made
    jet_event = np.repeat(np.arange(100), columns["njet"])
    for name in ("ele", "ph"):
        event = np.repeat(np.arange(100), columns[f"n{name}"])
        for i in range(len(event)):
            jets = np.flatnonzero(jet_event == event[i])
            assert all(
                _distance(
                    columns[f"{name}_eta"][i], columns[f"{name}_phi"][i], columns["jet_eta"][j], columns["jet_phi"][j]
                )
                >= 0.2
                for j in jets
            )
    no_leptons = replace(NOISELESS, muon=LeptonCuts(1e6, 2.5, 0.2), electron=LeptonCuts(1e6, 2.47, 0.15))
    with_leptons_in_jets = reconstruct(record, candidates, no_leptons, np.random.default_rng(2))
    assert with_leptons_in_jets["njet"].sum() > columns["njet"].sum()
    np.testing.assert_allclose(with_leptons_in_jets["met_met"], columns["met_met"], rtol=1e-5)


def test_preselection_counts_objects(made: Made) -> None:
    _, _, columns = made
    expected = [sum(columns[f"n{name}"][i] for name in ("jet", "ele", "mu", "ph")) >= 6 for i in range(100)]
    assert preselected(columns, replace(ObjectSelection(), min_objects=6)).tolist() == expected


def test_flavour_against_a_loop(made: Made) -> None:
    record, _, columns = made
    event = np.repeat(np.arange(100), columns["njet"])
    expected = np.zeros(len(event), dtype=int)
    for code, hadrons in ((4, CHARM_HADRONS), (5, BOTTOM_HADRONS)):
        for h in np.flatnonzero(np.isin(record.kind, hadrons) & (record.pt > 5.0)):
            jets = np.flatnonzero(event == record.event[h])
            distances = [
                _distance(record.eta[h], record.phi[h], columns["jet_eta"][j], columns["jet_phi"][j]) for j in jets
            ]
            if distances and min(distances) < 0.3:
                expected[jets[int(np.argmin(distances))]] = code
    assert columns["jet_truthflav"].tolist() == expected.tolist()
    assert (expected == 5).sum() > 100
