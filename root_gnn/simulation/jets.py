"""Large-radius jets with their constituents, in the layout of JetClass (Qu, Li, Qian 2022, arXiv:2202.03772)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from root_gnn.clustering.jets import JetMembers, Jets, cluster_members
from root_gnn.clustering.substructure import n_subjettiness, soft_drop_mass
from root_gnn.kinematics.angles import delta_phi
from root_gnn.simulation.detector import CHARGED_HADRON, ELECTRON, MUON, NEUTRAL_HADRON, PHOTON, Candidates
from root_gnn.simulation.impact import ImpactResolution, impact_parameters
from root_gnn.simulation.ntuple import CLASSES, NtupleColumns
from root_gnn.simulation.record import EventRecord, span_pairs
from root_gnn.simulation.resonances import Decay, find_resonances, match_jets
from root_gnn.typing import AnyFloats, Booleans, Integers

NO_LIMIT = 1e6  # GeV; no number that JSON lacks
_KINDS = {
    "isChargedHadron": CHARGED_HADRON,
    "isNeutralHadron": NEUTRAL_HADRON,
    "isPhoton": PHOTON,
    "isElectron": ELECTRON,
    "isMuon": MUON,
}


@dataclass(frozen=True)
class JetSelection:
    """Selection of jets: anti-kT with `radius`, pt in GeV between `min_pt` and `max_pt`, abs(eta) below `max_eta`.

    Attributes:
        label: class of the jets that contain all of a `decay`, and of all jets where `decay` is None.
        decay: the decay that makes a jet one of the class.
        radius: radius parameter of anti-kT.
        min_pt: smallest pt in GeV.
        max_pt: largest pt in GeV.
        max_eta: largest abs(eta) of the jet axis.
        n_leading: number of jets above `min_pt` considered, hardest first; 0 for all.
        whole_events: keep all jets of events with at least `min_jets`, those without the `decay` being QCD; otherwise
            only jets of the class.
        min_jets: smallest number of jets of an event.
        impact: resolution of the tracks' impact parameters.
        soft_drop_z_cut: threshold of soft drop.
        soft_drop_beta: angular exponent of soft drop.
    """

    label: str
    decay: Decay | None = None
    radius: float = 0.8
    min_pt: float = 500.0
    max_pt: float = 1000.0
    max_eta: float = 2.0
    n_leading: int = 2
    whole_events: bool = False
    min_jets: int = 1
    impact: ImpactResolution = field(default_factory=ImpactResolution)
    soft_drop_z_cut: float = 0.1
    soft_drop_beta: float = 0.0


@dataclass(frozen=True)
class ClusteredJets:
    """Jets of a batch that pass the selection, with their members (indices of candidates).

    `index (n_jet,)` is the rank of a jet by pt in its event, `resonance (n_jet,)` the index in the record of the
    particle whose visible decay products all lie in the jet, -1 where there is none.
    """

    jets: Jets
    members: JetMembers
    index: Integers
    resonance: Integers


def find_jets(record: EventRecord, candidates: Candidates, selection: JetSelection) -> ClusteredJets:
    """Clusters candidates with anti-kT (Cacciari, Salam, Soyez 2008, arXiv:0802.1189); returns the jets that pass.

    Args:
        record: generated events.
        candidates: what the detector measured.
        selection: radius, least pt in GeV and largest |eta|.
    """
    px, py, pz = candidates.cartesian()
    counts = np.bincount(candidates.event, minlength=candidates.n_event)
    jets, members = cluster_members(
        px, py, pz, candidates.energy, counts=counts, radius=selection.radius, min_pt=selection.min_pt
    )
    index = np.arange(len(jets.pt)) - np.searchsorted(jets.event, jets.event)
    resonance = np.full(len(jets.pt), -1, dtype=np.int64)
    if selection.decay is not None:
        resonance = match_jets(record, jets, find_resonances(record, selection.decay), selection.radius)
    keep = (jets.pt < selection.max_pt) & (np.abs(jets.eta) < selection.max_eta)
    if selection.n_leading:
        keep &= index < selection.n_leading
    if selection.decay is not None and not selection.whole_events:
        keep &= resonance >= 0
    keep &= (np.bincount(jets.event[keep], minlength=candidates.n_event) >= selection.min_jets)[jets.event]
    return choose_jets(ClusteredJets(jets, members, index, resonance), keep)


def choose_jets(clustered: ClusteredJets, keep: Booleans) -> ClusteredJets:
    """The jets for which the mask `keep (n_jet,)` holds."""
    jets, members = clustered.jets, clustered.members
    kept = keep[members.jet]
    new_index = np.cumsum(keep) - 1
    chosen = Jets(jets.event[keep], jets.pt[keep], jets.eta[keep], jets.phi[keep], jets.energy[keep])
    return ClusteredJets(
        chosen,
        JetMembers(new_index[members.jet[kept]], members.particle[kept]),
        clustered.index[keep],
        clustered.resonance[keep],
    )


def reorder_jets(clustered: ClusteredJets, order: Integers) -> ClusteredJets:
    """The jets in another order; `order (n_jet,)` are their present indices."""
    jets, members = clustered.jets, clustered.members
    new_index = np.empty(len(order), dtype=np.int64)
    new_index[order] = np.arange(len(order))
    jet = new_index[members.jet]
    row = np.argsort(jet, kind="stable")
    chosen = Jets(jets.event[order], jets.pt[order], jets.eta[order], jets.phi[order], jets.energy[order])
    return ClusteredJets(
        chosen, JetMembers(jet[row], members.particle[row]), clustered.index[order], clustered.resonance[order]
    )


def same_jets(clustered: ClusteredJets, copies: int, radius: float) -> tuple[ClusteredJets, Integers]:
    """Jets that appear in all `copies` showers of a hard event.

    The showers of a hard event follow each other in the record. Each jet of the first shower is matched to the nearest
    jet of every other shower within `radius`; jets without a match are dropped. Returned are the jets, the copies of
    each following each other with the `index` of the first, and the number `(n_jet,)` of the jet that they are copies
    of.
    """
    jets = clustered.jets
    hard, copy = np.divmod(jets.event, copies)
    first = np.flatnonzero(copy == 0)
    partner = np.full((len(first), copies), -1, dtype=np.int64)
    partner[:, 0] = first
    row, other = span_pairs(np.searchsorted(hard, hard[first]), np.searchsorted(hard, hard[first], side="right"))
    distance = np.hypot(jets.eta[first[row]] - jets.eta[other], delta_phi(jets.phi[first[row]], jets.phi[other]))
    order = np.argsort(-distance, kind="stable")  # the nearest is written last and stays
    order = order[(distance[order] < radius) & (copy[other[order]] > 0)]
    partner[row[order], copy[other[order]]] = other[order]
    partner = partner[(partner >= 0).all(axis=1)]
    partner = partner[_without_repeats(partner)]
    chosen = take_jets(clustered, partner.reshape(-1))
    index = np.repeat(clustered.index[partner[:, 0]], copies)
    return ClusteredJets(chosen.jets, chosen.members, index, chosen.resonance), np.repeat(
        np.arange(len(partner)), copies
    )


def take_jets(clustered: ClusteredJets, indices: Integers) -> ClusteredJets:
    """The jets `indices`, in that order; no index may be repeated."""
    keep = np.zeros(len(clustered.jets.pt), dtype=bool)
    keep[indices] = True
    return reorder_jets(choose_jets(clustered, keep), np.argsort(np.argsort(indices)) if len(indices) else indices)


def _without_repeats(partner: Integers) -> Booleans:
    """Rows whose jets no earlier row uses."""
    once = np.ones(len(partner), dtype=bool)
    for column in partner.T:
        first = np.unique(column, return_index=True)[1]
        repeated = np.ones(len(column), dtype=bool)
        repeated[first] = False
        once &= ~repeated
    return once


def jet_columns(
    record: EventRecord,
    candidates: Candidates,
    clustered: ClusteredJets,
    selection: JetSelection,
    rng: np.random.Generator,
) -> NtupleColumns:
    """All branches of the jets except those of their events; constituents are ordered by pt, hardest first.

    Args:
        record: the generated particles.
        candidates: the measured candidates.
        clustered: the jets and their members.
        selection: radius, label and soft-drop parameters.
        rng: random numbers of the impact parameters.
    """
    jets, members = clustered.jets, clustered.members
    order = np.lexsort((-candidates.pt[members.particle], members.jet))
    particle, owner = members.particle[order], members.jet[order]
    counts = np.bincount(owner, minlength=len(jets.pt))
    px, py, pz = (component[particle] for component in candidates.cartesian())
    energy = candidates.energy[particle]
    columns: NtupleColumns = {
        "npart": counts.astype(np.int32),
        "part_px": px,
        "part_py": py,
        "part_pz": pz,
        "part_energy": energy,
    }
    side = np.where(jets.eta > 0, 1.0, -1.0)  # as in JetClass: eta grows away from the centre of the detector
    columns["part_deta"] = (candidates.eta[particle] - jets.eta[owner]) * side[owner]
    columns["part_dphi"] = delta_phi(candidates.phi[particle], jets.phi[owner])
    impact = impact_parameters(record, candidates, selection.impact, rng)
    for name, values in (
        ("d0val", impact.d0),
        ("d0err", impact.d0_error),
        ("dzval", impact.dz),
        ("dzerr", impact.dz_error),
    ):
        columns[f"part_{name}"] = values[particle]
    columns["part_charge"] = candidates.charge[particle]
    columns |= {f"part_{name}": candidates.kind[particle] == kind for name, kind in _KINDS.items()}
    columns |= {
        "jet_pt": jets.pt,
        "jet_eta": jets.eta,
        "jet_phi": jets.phi,
        "jet_energy": jets.energy,
        "jet_nparticles": counts,
    }
    columns |= _substructure((px, py, pz, energy), counts, selection)
    columns |= _truth(record, clustered, selection)
    columns["jet_index"] = clustered.index
    return {
        name: np.asarray(values, dtype=np.float32) if values.dtype == np.float64 else values
        for name, values in columns.items()
    }


def _substructure(momenta: tuple[AnyFloats, ...], counts: Integers, selection: JetSelection) -> NtupleColumns:
    """Soft-drop mass and N-subjettiness of jets with constituents `(px, py, pz, energy)` in GeV."""
    px, py, pz, energy = momenta
    columns: NtupleColumns = {
        "jet_sdmass": soft_drop_mass(
            px,
            py,
            pz,
            energy,
            counts=counts,
            radius=selection.radius,
            z_cut=selection.soft_drop_z_cut,
            beta=selection.soft_drop_beta,
        )
    }
    tau = n_subjettiness(px, py, pz, energy, counts=counts, radius=selection.radius)
    return columns | {f"jet_tau{i + 1}": tau[:, i] for i in range(tau.shape[1])}


def _truth(record: EventRecord, clustered: ClusteredJets, selection: JetSelection) -> NtupleColumns:
    """The labels, and the matched particle (zeros where there is none)."""
    matched = clustered.resonance >= 0
    label = np.where(matched | (selection.decay is None), CLASSES.index(selection.label), CLASSES.index("QCD"))
    columns: NtupleColumns = {f"label_{name}": label == i for i, name in enumerate(CLASSES)}
    sources = {"pid": record.pdg, "pt": record.pt, "eta": record.eta, "phi": record.phi, "mass": record.mass}
    columns |= {
        f"aux_genpart_{name}": np.where(matched, values[clustered.resonance], 0.0) for name, values in sources.items()
    }
    columns["aux_truth_match"] = matched.astype(np.float32)
    return columns
