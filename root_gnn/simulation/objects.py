"""Leptons, photons, jets and missing transverse momentum from particle-flow candidates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.clustering.jets import Jets, cluster_jets
from root_gnn.kinematics.angles import delta_r
from root_gnn.simulation.density import Density, density, without_pileup
from root_gnn.simulation.detector import ELECTRON, MUON, PHOTON, Candidates
from root_gnn.simulation.flavour import Tagger, hadron_flavour, tag
from root_gnn.simulation.ntuple import NtupleColumns
from root_gnn.simulation.record import HARD, EventRecord, span_pairs
from root_gnn.typing import AnyFloats, Booleans, Integers


@dataclass(frozen=True)
class LeptonCuts:
    """Selection of isolated electrons, muons or photons, pt in GeV.

    `isolation` is the largest ratio of the summed pt in the cone around the candidate to its own.
    """

    min_pt: float
    max_eta: float
    isolation: float


@dataclass(frozen=True)
class ObjectSelection:
    """All cuts on reconstructed objects, the b-tagger, the noise of missing momentum, and the preselection."""

    muon: LeptonCuts = LeptonCuts(10.0, 2.5, 0.20)
    electron: LeptonCuts = LeptonCuts(10.0, 2.47, 0.15)
    photon: LeptonCuts = LeptonCuts(20.0, 2.37, 0.15)
    isolation_cone: float = 0.3
    photon_efficiency: float = 0.90
    photon_fake_rate: float = 0.25  # photons from hadron decays that look prompt, before isolation
    jet_radius: float = 0.4
    jet_min_pt: float = 25.0
    jet_max_eta: float = 4.5
    overlap_cone: float = 0.2  # a jet this close to an isolated electron or photon is its own leakage
    tagger: Tagger = field(default_factory=Tagger)
    met_noise: float = 4.0  # GeV per component
    met_noise_growth: float = 0.25  # times sqrt(sum of pt in GeV), per component
    min_objects: int = 2  # preselection: jets, electrons, muons and photons together


def reconstruct(
    record: EventRecord, candidates: Candidates, selection: ObjectSelection, rng: np.random.Generator
) -> NtupleColumns:
    """Reconstructs all objects of a batch of events; returns branches by name, as in the ntuple, in GeV and radians.

    Overlaps are removed in the order muon, electron, photon, jet: a candidate is used once, and jets within
    `overlap_cone` of an isolated electron or photon are dropped.

    Args:
        record: generated events.
        candidates: what the detector measured.
        selection: what each kind of object has to pass.
        rng: random numbers, for tags.
    """
    everywhere = density(candidates, record)
    muon = _isolated(candidates, MUON, selection.muon, selection.isolation_cone, everywhere)
    electron = _isolated(candidates, ELECTRON, selection.electron, selection.isolation_cone, everywhere)
    photon = _photons(record, candidates, selection, everywhere, rng)
    jets = _jets(candidates, np.concatenate((muon, electron, photon)), selection, everywhere)
    jets = _without_overlap(jets, candidates, np.concatenate((electron, photon)), selection.overlap_cone)
    flavour = hadron_flavour(record, jets, selection.tagger)
    columns: NtupleColumns = {}
    _fill(columns, "jet", jets, candidates.n_event)
    columns["jet_btag"] = tag(flavour, jets.eta, selection.tagger, rng).astype(np.int8)
    columns["jet_truthflav"] = flavour.astype(np.int8)
    for name, index in (("ele", electron), ("mu", muon), ("ph", photon)):
        chosen = Jets(
            candidates.event[index],
            candidates.pt[index],
            candidates.eta[index],
            candidates.phi[index],
            candidates.energy[index],
        )
        _fill(columns, name, chosen, candidates.n_event)
        if name != "ph":
            columns[f"{name}_charge"] = candidates.charge[index].astype(np.int8)
    _missing_momentum(columns, candidates, selection, rng)
    return columns


def preselected(columns: NtupleColumns, selection: ObjectSelection) -> Booleans:
    """Whether an event has `min_objects` jets, electrons, muons and photons together."""
    total = columns["njet"] + columns["nele"] + columns["nmu"] + columns["nph"]
    return np.asarray(total >= selection.min_objects)


def _isolated(candidates: Candidates, kind: int, cuts: LeptonCuts, cone: float, everywhere: Density) -> Integers:
    """Indices of candidates of a kind that pass the cuts.

    Args:
        candidates: the measured candidates.
        kind: the code of the candidates (`detector.ELECTRON` and so on).
        cuts: pt, eta and isolation.
        cone: radius of the isolation cone in eta and phi.
        everywhere: the pile-up density, subtracted from the activity in the cone.
    """
    index = np.flatnonzero(
        (candidates.kind == kind) & (candidates.pt > cuts.min_pt) & (np.abs(candidates.eta) < cuts.max_eta)
    )
    average = everywhere.at(candidates.event[index], candidates.eta[index]) * np.pi * cone**2 / candidates.pt[index]
    return index[_activity(candidates, index, cone) - average < cuts.isolation]


def _activity(candidates: Candidates, index: Integers, cone: float) -> AnyFloats:
    """Summed pt in the cone around the candidates `index`, themselves excluded, relative to their own pt."""
    start = candidates.start
    event = candidates.event[index]
    owner, other = span_pairs(start[event], start[event + 1])
    center = index[owner]
    distance = delta_r(candidates.eta[center], candidates.phi[center], candidates.eta[other], candidates.phi[other])
    near = (distance < cone) & (other != center)
    around: AnyFloats = np.bincount(owner[near], candidates.pt[other[near]], len(index)) / candidates.pt[index]
    return around


def _photons(
    record: EventRecord,
    candidates: Candidates,
    selection: ObjectSelection,
    everywhere: Density,
    rng: np.random.Generator,
) -> Integers:
    """Indices of the isolated photons that pass the identification.

    Args:
        record: the generated particles, which say whether a photon is prompt.
        candidates: the measured candidates.
        selection: cuts, identification efficiency and fake rate.
        everywhere: the pile-up density.
        rng: random numbers of the identification.
    """
    index = _isolated(candidates, PHOTON, selection.photon, selection.isolation_cone, everywhere)
    source = candidates.source[index]
    prompt = (record.kind[source] == 22) & (record.parent_kind(source) < 100)
    if record.overlaid is not None:
        prompt &= record.overlaid.collision[source] == HARD
    keep = rng.random(len(index)) < np.where(prompt, selection.photon_efficiency, selection.photon_fake_rate)
    return index[keep]


def _jets(candidates: Candidates, used: Integers, selection: ObjectSelection, everywhere: Density) -> Jets:
    free = np.ones(len(candidates.pt), dtype=bool)
    free[used] = False
    px, py, pz = (component[free] for component in candidates.cartesian())
    counts = np.bincount(candidates.event[free], minlength=candidates.n_event)
    jets = cluster_jets(
        px, py, pz, candidates.energy[free], counts=counts, radius=selection.jet_radius, min_pt=selection.jet_min_pt
    )
    jets = without_pileup(jets, everywhere, selection.jet_radius)
    return _choose(jets, (np.abs(jets.eta) < selection.jet_max_eta) & (jets.pt > selection.jet_min_pt))


def _choose(jets: Jets, keep: Booleans) -> Jets:
    return Jets(jets.event[keep], jets.pt[keep], jets.eta[keep], jets.phi[keep], jets.energy[keep])


def _without_overlap(jets: Jets, candidates: Candidates, index: Integers, cone: float) -> Jets:
    event = candidates.event[index]
    owner, jet = span_pairs(np.searchsorted(jets.event, event), np.searchsorted(jets.event, event, side="right"))
    near = delta_r(candidates.eta[index][owner], candidates.phi[index][owner], jets.eta[jet], jets.phi[jet]) < cone
    keep = np.ones(len(jets.pt), dtype=bool)
    keep[jet[near]] = False
    return _choose(jets, keep)


def _fill(columns: NtupleColumns, name: str, objects: Jets, n_event: int) -> None:
    columns[f"n{name}"] = np.bincount(objects.event, minlength=n_event).astype(np.int32)
    columns[f"{name}_pt"], columns[f"{name}_eta"] = _single(objects.pt), _single(objects.eta)
    columns[f"{name}_phi"], columns[f"{name}_e"] = _single(objects.phi), _single(objects.energy)


def _single(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _missing_momentum(
    columns: NtupleColumns, candidates: Candidates, selection: ObjectSelection, rng: np.random.Generator
) -> None:
    """Minus the vector sum of all candidates, with noise for dead regions and noisy cells."""
    px, py, _ = candidates.cartesian()
    n_event = candidates.n_event
    total = np.bincount(candidates.event, candidates.pt, n_event)
    noise = np.hypot(selection.met_noise, selection.met_noise_growth * np.sqrt(total))
    x = -np.bincount(candidates.event, px, n_event) + noise * rng.standard_normal(n_event)
    y = -np.bincount(candidates.event, py, n_event) + noise * rng.standard_normal(n_event)
    columns["met_met"], columns["met_phi"] = _single(np.hypot(x, y)), _single(np.arctan2(y, x))
    columns["met_sumet"] = _single(total)
