"""Flavour of a jet from the heavy hadrons inside it, and a parametrised b-tag based on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from root_gnn.clustering.jets import Jets
from root_gnn.kinematics.angles import delta_r
from root_gnn.simulation.record import EventRecord, span_pairs
from root_gnn.typing import AnyFloats, Booleans, Integers

LIGHT, CHARM, BOTTOM = 0, 4, 5
# hadrons that decay weakly
BOTTOM_HADRONS = (511, 521, 531, 541, 5122, 5132, 5232, 5332)
CHARM_HADRONS = (411, 421, 431, 4122, 4132, 4232, 4332)


@dataclass(frozen=True)
class Tagger:
    """Matching of hadrons to jets (pt in GeV, distance in eta and phi) and the b-tag rate of each jet flavour."""

    hadron_min_pt: float = 5.0
    cone: float = 0.3
    max_eta: float = 2.5
    bottom_efficiency: float = 0.70
    charm_rate: float = 0.10
    light_rate: float = 0.01


def hadron_flavour(record: EventRecord, jets: Jets, tagger: Tagger) -> Integers:
    """Flavour 5, 4 or 0 of each jet `(n_jet,)`: a hadron counts for the nearest jet only, bottom wins over charm."""
    flavour = np.full(len(jets.pt), LIGHT, dtype=np.int64)
    for code, hadrons in ((CHARM, CHARM_HADRONS), (BOTTOM, BOTTOM_HADRONS)):
        hadron = np.flatnonzero(np.isin(record.kind, hadrons) & (record.pt > tagger.hadron_min_pt))
        flavour[_nearest_jets(record, hadron, jets, tagger)] = code
    return flavour


def _nearest_jets(record: EventRecord, hadron: Integers, jets: Jets, tagger: Tagger) -> Integers:
    """The nearest jet of each hadron that has one within the cone."""
    event = record.event[hadron]
    owner, jet = span_pairs(np.searchsorted(jets.event, event), np.searchsorted(jets.event, event, side="right"))
    distance = delta_r(record.eta[hadron][owner], record.phi[hadron][owner], jets.eta[jet], jets.phi[jet])
    order = np.lexsort((distance, owner))
    nearest = order[np.unique(owner[order], return_index=True)[1]]
    return jet[nearest][distance[nearest] < tagger.cone]


def tag(flavour: Integers, eta: AnyFloats, tagger: Tagger, rng: np.random.Generator) -> Booleans:
    """Draws the b-tag of each jet `(n_jet,)`; no jet outside the tracker is tagged.

    Args:
        flavour: 5, 4 or 0 of each jet, `(n_jet,)`.
        eta: pseudorapidity of each jet, `(n_jet,)`.
        tagger: efficiencies by flavour, and the reach of the tracker.
        rng: random numbers.
    """
    efficiency = np.select(
        [flavour == BOTTOM, flavour == CHARM], [tagger.bottom_efficiency, tagger.charm_rate], tagger.light_rate
    )
    return (rng.random(len(flavour)) < efficiency) & (np.abs(eta) < tagger.max_eta)
