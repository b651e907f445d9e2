"""A parametrised detector: what tracker, calorimeters and muon system would measure of the generated particles.

Efficiencies and resolutions are of the size of the LHC experiments' (compare de Favereau et al. 2014, DELPHES 3,
arXiv:1307.6346). Particle flow is ideal: a track never hides a cluster, and one from another collision is left out with
all that it is of. No magnetic field.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from root_gnn.kinematics.angles import wrap_phi
from root_gnn.kinematics.fourvectors import energy_of, to_cartesian
from root_gnn.simulation.record import APART, EventRecord
from root_gnn.typing import AnyFloats, Booleans, Integers

CHARGED_HADRON, NEUTRAL_HADRON, PHOTON, ELECTRON, MUON = range(5)
INVISIBLE = (12, 14, 16, 1000012, 1000014, 1000016, 1000022, 1000039)
# electric charge of the particle with the positive code, for all that lives 10 mm or more
CHARGE = {11: -1, 13: -1, 15: -1, 211: 1, 321: 1, 2212: 1, 3112: -1, 3222: 1, 3312: -1, 3334: -1, 1000010020: 1}


@dataclass(frozen=True)
class Steps:
    """A number that changes at given values of abs(eta): `values[i]` below `edges[i]`, the last one beyond."""

    edges: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, abs_eta: AnyFloats) -> AnyFloats:
        """The values `(n,)` at `abs_eta (n,)`."""
        return np.asarray(self.values)[np.searchsorted(self.edges, abs_eta, side="right")]


@dataclass(frozen=True)
class Tracker:
    """Charged tracks: acceptance, efficiency by species, sigma(pt)/pt = constant (+) slope * pt, angles in radians."""

    max_eta: float = 2.5
    min_pt: float = 0.3
    hadron_efficiency: Steps = Steps((1.5,), (0.95, 0.85))
    soft_efficiency: Steps = Steps((1.5,), (0.70, 0.60))  # below 1 GeV
    electron_efficiency: Steps = Steps((1.5,), (0.97, 0.90))
    muon_efficiency: Steps = Steps((1.5,), (0.985, 0.98))
    resolution_constant: Steps = Steps((0.5, 1.5), (0.010, 0.015, 0.025))
    resolution_slope: Steps = Steps((0.5, 1.5), (1.0e-4, 1.5e-4, 3.5e-4))  # per GeV
    angle_resolution: float = 4e-4


@dataclass(frozen=True)
class LeptonId:
    """Identification of electrons and muons with a track; electrons then take the calorimeter's energy resolution."""

    muon_min_pt: float = 3.0
    muon_efficiency: Steps = Steps((), (0.96,))
    electron_min_pt: float = 4.0
    electron_efficiency: Steps = Steps((1.5,), (0.90, 0.82))  # plateau
    electron_start: float = 0.6  # fraction of the plateau at electron_min_pt, growing linearly
    electron_plateau_pt: float = 24.0
    electron_resolution_constant: float = 0.012
    electron_resolution_stochastic: float = 0.04  # over sqrt(E)
    electron_endcap_factor: float = 1.5


@dataclass(frozen=True)
class Calorimeter:
    """Cells in eta and phi, and the energy resolution: sigma(E)/E = constant (+) stochastic / sqrt(E) (+) noise / E.

    Of pairs the second value holds beyond abs(eta) 2.5; energies in GeV.
    """

    cell: Steps
    constant: Steps
    stochastic: Steps
    noise: Steps
    threshold: Steps  # GeV
    position_resolution: float


ECAL = Calorimeter(
    Steps((2.5,), (0.02, 0.1)),
    Steps((2.5,), (0.01, 0.10)),
    Steps((2.5,), (0.05, 2.0)),
    Steps((2.5,), (0.2, 0.0)),
    Steps((2.5,), (0.5, 2.0)),
    0.003,
)
HCAL = Calorimeter(
    Steps((2.5,), (0.087, 0.175)),
    Steps((2.5,), (0.05, 0.10)),
    Steps((2.5,), (0.80, 1.5)),
    Steps((2.5,), (0.0, 0.0)),
    Steps((2.5,), (1.0, 2.0)),
    0.02,
)


@dataclass(frozen=True)
class Detector:
    """All parameters of the response."""

    max_eta: float = 5.0
    min_pt: float = 0.05
    tracker: Tracker = field(default_factory=Tracker)
    leptons: LeptonId = field(default_factory=LeptonId)
    ecal: Calorimeter = ECAL
    hcal: Calorimeter = HCAL


@dataclass(frozen=True)
class Candidates:
    """Measured particle-flow candidates, sorted by event and falling pt; arrays `(n_candidate,)`, GeV and radians.

    `kind` is one of the codes of this module, `source` the index of the (hardest) generated particle in the event
    record.
    """

    n_event: int
    event: Integers
    pt: AnyFloats
    eta: AnyFloats
    phi: AnyFloats
    energy: AnyFloats
    kind: Integers
    charge: Integers
    source: Integers

    @property
    def start(self) -> Integers:
        """`(n_event + 1,)`: where each event's candidates begin."""
        return np.searchsorted(self.event, np.arange(self.n_event + 1))

    def cartesian(self) -> tuple[AnyFloats, AnyFloats, AnyFloats]:
        """The momenta px, py, pz in GeV, `(n_candidate,)` each."""
        return to_cartesian(self.pt, self.eta, self.phi)


def measure(record: EventRecord, detector: Detector, rng: np.random.Generator) -> Candidates:
    """Simulates the detector's response to a batch of events and returns the candidates, in GeV.

    Args:
        record: generated events.
        detector: efficiencies and resolutions.
        rng: random numbers; the same state gives the same candidates.
    """
    visible = np.flatnonzero(
        record.final
        & ~np.isin(record.kind, INVISIBLE)
        & (np.abs(record.eta) < detector.max_eta)
        & (record.pt > detector.min_pt)
    )
    charge = _charges(record.pdg[visible])
    tracked = _has_track(record, visible, charge, detector.tracker, rng)
    of_hard = tracked if record.overlaid is None else tracked & (record.overlaid.collision[visible] != APART)
    tracks = _tracks(record, visible[of_hard], charge[of_hard], detector, rng)
    rest = visible[~tracked]
    rest = rest[record.kind[rest] != 13]  # an untracked muon leaves too little in the calorimeter to be seen
    is_em = np.isin(record.kind[rest], (11, 22))
    showers = _clusters(record, rest[is_em], detector.ecal, PHOTON, rng)
    hadrons = _clusters(record, rest[~is_em], detector.hcal, NEUTRAL_HADRON, rng)
    columns = [np.concatenate(parts) for parts in zip(tracks, showers, hadrons, strict=True)]
    event, pt = columns[0], columns[1]
    order = np.lexsort((-pt, event))
    return Candidates(record.n_event, *(column[order] for column in columns))


def _charges(pdg: Integers) -> Integers:
    """Electric charge of the particles, in units of the positron's."""
    charge = np.zeros(len(pdg), dtype=np.int64)
    for kind, sign in CHARGE.items():
        charge[pdg == kind] = sign
        charge[pdg == -kind] = -sign
    return charge


def _has_track(
    record: EventRecord, index: Integers, charge: Integers, tracker: Tracker, rng: np.random.Generator
) -> Booleans:
    """Draws which charged particles leave a track.

    Args:
        record: the generated particles.
        index: the particles to look at, `(n,)`.
        charge: their electric charges, `(n,)`.
        tracker: acceptance and efficiency.
        rng: random numbers.
    """
    pt, abs_eta, kind = record.pt[index], np.abs(record.eta[index]), record.kind[index]
    efficiency = np.where(pt < 1.0, tracker.soft_efficiency.at(abs_eta), tracker.hadron_efficiency.at(abs_eta))
    efficiency = np.where((kind == 11) & (pt > 1.0), tracker.electron_efficiency.at(abs_eta), efficiency)
    efficiency = np.where((kind == 13) & (pt > 1.0), tracker.muon_efficiency.at(abs_eta), efficiency)
    accepted: Booleans = (charge != 0) & (abs_eta < tracker.max_eta) & (pt > tracker.min_pt)
    accepted &= rng.random(len(index)) < efficiency
    return accepted


CandidateColumns = tuple[
    Integers, AnyFloats, AnyFloats, AnyFloats, AnyFloats, Integers, Integers, Integers
]  # the fields of Candidates behind n_event


def _tracks(
    record: EventRecord, index: Integers, charge: Integers, detector: Detector, rng: np.random.Generator
) -> CandidateColumns:
    """The columns of the candidates that are measured by the tracker.

    Args:
        record: the generated particles.
        index: the particles with a track, `(n,)`.
        charge: their electric charges, `(n,)`.
        detector: resolutions and lepton identification.
        rng: random numbers.
    """
    tracker = detector.tracker
    pt, eta, phi = record.pt[index], record.eta[index], record.phi[index]
    abs_eta = np.abs(eta)
    kind = _lepton_kind(record, index, detector.leptons, rng)
    resolution = np.hypot(tracker.resolution_constant.at(abs_eta), tracker.resolution_slope.at(abs_eta) * pt)
    resolution = np.where(
        kind == ELECTRON, _electron_resolution(record.energy[index], abs_eta, detector.leptons), resolution
    )
    measured = pt * np.clip(1.0 + resolution * rng.standard_normal(len(index)), 0.2, 5.0)
    eta = eta + tracker.angle_resolution * rng.standard_normal(len(index))
    phi = wrap_phi(phi + tracker.angle_resolution * rng.standard_normal(len(index)))
    return record.event[index], measured, eta, phi, energy_of(measured, eta, record.mass[index]), kind, charge, index


def _lepton_kind(record: EventRecord, index: Integers, leptons: LeptonId, rng: np.random.Generator) -> Integers:
    """Electron, muon, or charged hadron for everything that is not identified."""
    pt, abs_eta, kind = record.pt[index], np.abs(record.eta[index]), record.kind[index]
    rise = (pt - leptons.electron_min_pt) / (leptons.electron_plateau_pt - leptons.electron_min_pt)
    turn_on = np.clip(leptons.electron_start + (1.0 - leptons.electron_start) * rise, leptons.electron_start, 1.0)
    draw = rng.random(len(index))
    is_electron = (
        (kind == 11) & (pt > leptons.electron_min_pt) & (draw < turn_on * leptons.electron_efficiency.at(abs_eta))
    )
    is_muon = (kind == 13) & (pt > leptons.muon_min_pt) & (draw < leptons.muon_efficiency.at(abs_eta))
    return np.where(is_electron, ELECTRON, np.where(is_muon, MUON, CHARGED_HADRON)).astype(np.int64)


def _electron_resolution(energy: AnyFloats, abs_eta: AnyFloats, leptons: LeptonId) -> AnyFloats:
    barrel = np.hypot(
        leptons.electron_resolution_constant, leptons.electron_resolution_stochastic / np.sqrt(np.maximum(energy, 1.0))
    )
    return np.where(abs_eta < 1.5, barrel, barrel * leptons.electron_endcap_factor)


def _clusters(
    record: EventRecord, index: Integers, calorimeter: Calorimeter, kind: int, rng: np.random.Generator
) -> CandidateColumns:
    """Energy summed in cells, smeared, kept above threshold, at the energy-weighted centre; massless.

    Args:
        record: the generated particles.
        index: the particles that end in the calorimeter, `(n,)`.
        calorimeter: cells, resolution and thresholds.
        kind: the code of the candidates.
        rng: random numbers.
    """
    eta, phi, energy, event = record.eta[index], record.phi[index], record.energy[index], record.event[index]
    cell, n_cell = _cells(event, eta, phi, calorimeter)
    total: AnyFloats = np.asarray(np.bincount(cell, energy, n_cell), dtype=np.float64)
    center_eta = np.bincount(cell, energy * eta, n_cell) / total
    center_phi = np.bincount(cell, energy * phi, n_cell) / total  # a cell never crosses phi = +-pi
    abs_eta = np.abs(center_eta)
    resolution = np.sqrt(
        calorimeter.constant.at(abs_eta) ** 2
        + calorimeter.stochastic.at(abs_eta) ** 2 / total
        + (calorimeter.noise.at(abs_eta) / total) ** 2
    )
    measured = total * np.maximum(1.0 + resolution * rng.standard_normal(n_cell), 0.0)
    measured_eta = center_eta + calorimeter.position_resolution * rng.standard_normal(n_cell)
    measured_phi = wrap_phi(center_phi + calorimeter.position_resolution * rng.standard_normal(n_cell))
    order = np.lexsort((-energy, cell))
    hardest = order[np.searchsorted(cell[order], np.arange(n_cell))]
    seen = measured > calorimeter.threshold.at(abs_eta)
    n_seen = int(seen.sum())
    return (
        event[hardest][seen],
        (measured / np.cosh(measured_eta))[seen],
        measured_eta[seen],
        measured_phi[seen],
        measured[seen],
        np.full(n_seen, kind, dtype=np.int64),
        np.zeros(n_seen, dtype=np.int64),
        index[hardest][seen],
    )


def _cells(event: Integers, eta: AnyFloats, phi: AnyFloats, calorimeter: Calorimeter) -> tuple[Integers, int]:
    """The number of each particle's cell, counted over all cells that were hit, and how many there are."""
    size = calorimeter.cell.at(np.abs(eta))
    column = np.floor(eta / size).astype(np.int64) + 1024
    row = np.floor((phi + np.pi) / size).astype(np.int64)
    hit, cell = np.unique((event * 4096 + column) * 4096 + row, return_inverse=True)
    return cell.reshape(-1).astype(np.int64), len(hit)
