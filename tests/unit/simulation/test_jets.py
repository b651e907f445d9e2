"""The jet ntuple: physical, complete, reproducible, and read by the spec for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

from root_gnn.errors import InputError
from root_gnn.simulation.ntuple import CLASSES, read_metadata
from root_gnn.simulation.simulate import simulate

pytestmark = pytest.mark.pythia
QUICK = {"mpi": "off"}
MADE = ("QCD", "Hbb", "Hqql", "Zqq", "Wqq", "Tbqq")
N = 60


def _jets(path: Path) -> ak.Array:
    with uproot.open(path) as file:
        return file["tree"].arrays()


def _median(values: ak.Array) -> float:
    return float(np.median(ak.to_numpy(values)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ak.Array]:
    out = tmp_path_factory.mktemp("jets")
    paths = simulate(MADE, events=N, out=out, seed=5, params=QUICK, level="jets")
    return {path.stem: _jets(path) for path in paths}


def test_all_jets_are_in_the_window_and_have_one_label(made: dict[str, ak.Array]) -> None:
    for name, jets in made.items():
        assert len(jets) == N
        assert ak.all((jets.jet_pt >= 500) & (jets.jet_pt <= 1000) & (abs(jets.jet_eta) <= 2))
        labels = np.stack([ak.to_numpy(jets[f"label_{label}"]) for label in CLASSES], axis=1)
        assert (labels.sum(axis=1) == 1).all() and (labels.argmax(axis=1) == CLASSES.index(name)).all()
        assert ak.all(jets.aux_truth_match == (name != "QCD"))
        assert len({*zip(jets.eventNumber.tolist(), jets.jet_index.tolist(), strict=True)}) == N
        assert ak.all(jets.resimulation == 0) and ak.all(
            (jets.weight >= 1) & (jets.weight < 1.5)
        )  # above 1 where Pythia had to correct


def test_soft_drop_masses_peak_where_the_particles_are(made: dict[str, ak.Array]) -> None:
    for name, mass in {"Hbb": 122, "Zqq": 90, "Wqq": 79, "Tbqq": 172}.items():
        assert _median(made[name].jet_sdmass) == pytest.approx(mass, rel=0.07), name
    assert _median(made["QCD"].jet_sdmass) < 50
    assert _median(made["Hbb"].aux_genpart_mass) == pytest.approx(125, abs=0.1)


def test_prongs(made: dict[str, ak.Array]) -> None:
    ratio = {name: _median(jets.jet_tau3 / jets.jet_tau2) for name, jets in made.items()}
    assert ratio["Tbqq"] < ratio["QCD"] - 0.1
    assert (
        _median(made["Wqq"].jet_tau2 / made["Wqq"].jet_tau1)
        < _median(made["QCD"].jet_tau2 / made["QCD"].jet_tau1) - 0.1
    )
    for jets in made.values():
        assert (
            ak.all(jets.jet_tau1 >= jets.jet_tau2)
            and ak.all(jets.jet_tau2 >= jets.jet_tau3)
            and ak.all(jets.jet_tau4 >= 0)
        )


def test_constituents_add_up_and_are_ordered(made: dict[str, ak.Array]) -> None:
    for jets in made.values():
        px, py, pz, energy = (ak.sum(jets[f"part_{name}"], axis=1) for name in ("px", "py", "pz", "energy"))
        np.testing.assert_allclose(np.hypot(px, py), jets.jet_pt, rtol=1e-5)
        np.testing.assert_allclose(np.arcsinh(pz / np.hypot(px, py)), jets.jet_eta, atol=1e-4)
        np.testing.assert_allclose(energy, jets.jet_energy, rtol=1e-5)
        pt = np.hypot(jets.part_px, jets.part_py)
        assert ak.all(pt[:, :-1] >= pt[:, 1:])
        assert ak.all(ak.num(pt) == jets.jet_nparticles)
        eta = np.arcsinh(jets.part_pz / pt)
        np.testing.assert_allclose(
            ak.flatten(jets.part_deta), ak.flatten((eta - jets.jet_eta) * np.sign(jets.jet_eta)), atol=1e-4
        )
        assert ak.mean(np.hypot(jets.part_deta, jets.part_dphi) < 0.9) > 0.98  # the axis moves while the jet grows


def test_kinds_and_charges(made: dict[str, ak.Array]) -> None:
    kinds = ("ChargedHadron", "NeutralHadron", "Photon", "Electron", "Muon")
    for jets in made.values():
        assert ak.all(sum(jets[f"part_is{kind}"] for kind in kinds) == 1)
        charged = (jets.part_isNeutralHadron == 0) & (jets.part_isPhoton == 0)
        assert ak.all(abs(jets.part_charge) == charged)
        assert ak.all((jets.part_d0err > 0) == charged) and ak.all((jets.part_dzerr > 0) == charged)
    leptons = ak.sum(made["Hqql"].part_isElectron + made["Hqql"].part_isMuon, axis=1)
    assert (
        ak.mean(leptons > 0)
        > 0.6
        > 0.4
        > ak.mean(ak.sum(made["Wqq"].part_isElectron + made["Wqq"].part_isMuon, axis=1) > 0)
    )
    lepton = (made["Hqql"].part_isElectron + made["Hqql"].part_isMuon == 1) & (
        np.hypot(made["Hqql"].part_px, made["Hqql"].part_py) > 30
    )
    assert {*ak.to_numpy(ak.flatten(made["Hqql"].part_charge[lepton]))} == {-1.0, 1.0}  # no charge gives the class away


def test_tracks_of_bottom_jets_miss_the_collision(made: dict[str, ak.Array]) -> None:
    def displaced(name: str) -> float:
        charged = made[name].part_charge != 0
        return float(ak.mean(abs(made[name].part_d0val[charged]) > 3 * made[name].part_d0err[charged]))

    assert displaced("Hbb") > 0.15 > 0.08 > displaced("Wqq")
    assert displaced("Tbqq") > 1.5 * displaced("QCD")


def test_two_processes_write_what_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("root_gnn.simulation.simulate.EVENTS_PER_CHUNK", 8)
    one, two = (
        simulate(["Tbqq"], events=20, out=tmp_path / str(jobs), jobs=jobs, params=QUICK, level="jets")[0]
        for jobs in (1, 2)
    )
    alone, shared = _jets(one), _jets(two)
    assert alone.fields == shared.fields and all(
        ak.array_equal(alone[branch], shared[branch]) for branch in alone.fields
    )
    assert read_metadata(one) == read_metadata(two)
    assert len({*zip(alone.eventNumber.tolist(), alone.jet_index.tolist(), strict=True)}) == 20


def test_events_with_several_jets(tmp_path: Path) -> None:
    pairs, light = (
        _jets(path) for path in simulate(["HH4b", "multijet"], events=25, out=tmp_path, params=QUICK, level="jets")
    )
    for jets in (pairs, light):
        event, count = np.unique(ak.to_numpy(jets.eventNumber), return_counts=True)
        assert len(event) == 25 and count.min() >= 2
        assert ak.all(jets.jet_pt >= 250)
        assert ak.all(jets.label_QCD + jets.label_Hbb == 1) and ak.all(jets.label_Hbb == jets.aux_truth_match)
    assert ak.all(light.label_QCD == 1) and 0.5 < ak.mean(pairs.label_Hbb) < 1
    metadata = read_metadata(tmp_path / "HH4b.root")
    assert metadata is not None and metadata.n_kept == 25 and "Infinity" not in metadata.settings


@pytest.mark.parametrize("spin", ["0", "2"])
def test_the_resonance_has_the_requested_mass(tmp_path: Path, spin: str) -> None:
    params = {**QUICK, "spin": spin, "mass": "900", "pt_min": "200"}
    (path,) = simulate(["HH4b"], events=15, out=tmp_path, params=params, level="jets")
    jets = _jets(path)
    both = jets[jets.aux_truth_match == 1]
    pt, eta, phi, mass = (
        ak.to_numpy(both[f"aux_genpart_{name}"]).astype(float) for name in ("pt", "eta", "phi", "mass")
    )
    p = np.stack((pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), np.hypot(pt * np.cosh(eta), mass)), axis=1)
    _, first, count = np.unique(ak.to_numpy(both.eventNumber), return_index=True, return_counts=True)
    total = np.array([p[i] + p[i + 1] for i in first[count == 2]])
    assert len(total) >= 3
    masses = np.sqrt(total[:, 3] ** 2 - (total[:, :3] ** 2).sum(axis=1))
    assert abs(np.median(masses) - 900) < 40


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"processes": ["QCD"], "top_tagging": Path("a.h5")}, "expected --level jets --process QCD --process Tbqq"),
        ({"processes": ["QCD", "Tbqq"], "top_tagging": Path("a.root")}, "ends in .h5"),
        ({"processes": ["QCD"], "params": {"pt_min": "800", "pt_max": "700"}}, "must be the smaller"),
        ({"processes": ["QCD"], "params": {"spin": "2"}}, "belongs to HH4b"),
        ({"processes": ["HH4b"], "params": {"spin": "1"}}, "expected 0 or 2"),
        ({"processes": ["HH4b"], "params": {"mass": "200"}}, "heavier than what it decays to .251 GeV"),
    ],
)
def test_wrong_requests(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        simulate(changes.pop("processes"), events=5, out=tmp_path / "out", level="jets", **changes)
    assert not (tmp_path / "out").exists()
