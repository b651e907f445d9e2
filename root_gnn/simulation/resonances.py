"""Heavy particles that decay inside a jet: their decay products, and which jet holds all that can be seen of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from root_gnn.clustering.jets import Jets
from root_gnn.kinematics.angles import delta_r
from root_gnn.simulation.record import EventRecord, span_pairs
from root_gnn.typing import Booleans, Integers

HEAVY = (6, 23, 24, 25)
NEUTRINOS = (12, 14, 16)
_LEPTONS = (11, 13)


@dataclass(frozen=True)
class Decay:
    """What a jet of a class holds: a particle `parent` with `n_product` final quarks, gluons, leptons, neutrinos included.

    `n_lepton` of them are electrons or muons; `flavour` is the code all others must have, 0 for any quark.
    """

    parent: int
    n_product: int
    n_lepton: int = 0
    flavour: int = 0


@dataclass(frozen=True)
class Resonances:
    """Particles as they decay, `parent (n_resonance,)` in event order, and their products: `product` belongs to `parent[owner]`."""

    parent: Integers
    owner: Integers
    product: Integers


def find_resonances(record: EventRecord, decay: Decay) -> Resonances:
    """All particles of an event that decay in the given way, through W, Z and Higgs bosons to quarks, leptons and gluons."""
    parent = np.flatnonzero((record.kind == decay.parent) & record.is_last_copy)
    owner, product = _products(record, parent)
    kind, n = record.kind[product], len(parent)
    lepton, neutrino = np.isin(kind, _LEPTONS), np.isin(kind, NEUTRINOS)
    right = lepton | neutrino | ((kind == decay.flavour) if decay.flavour else (kind <= 6))
    good = (
        (np.bincount(owner, minlength=n) == decay.n_product)
        & (np.bincount(owner[lepton], minlength=n) == decay.n_lepton)
        & (np.bincount(owner[neutrino], minlength=n) == decay.n_lepton)
        & (np.bincount(owner[right], minlength=n) == decay.n_product)
    )
    place = np.cumsum(good) - 1
    kept = good[owner]
    return Resonances(parent[good], place[owner[kept]], product[kept])


def _products(record: EventRecord, parent: Integers) -> tuple[Integers, Integers]:
    owner, front = np.arange(len(parent)), parent
    owners: list[Integers] = []
    products: list[Integers] = []
    while len(front):
        place, child = record.children(front)
        owner = owner[place]
        heavy = np.isin(record.kind[child], HEAVY)
        owners.append(owner[~heavy])
        products.append(child[~heavy])
        owner, front = owner[heavy], record.last_copy(child[heavy])
    return np.concatenate(owners) if owners else parent, np.concatenate(products) if products else parent


def match(record: EventRecord, jets: Jets, resonances: Resonances, radius: float) -> Integers:
    """For each jet `(n_jet,)` the particle of the record that it holds whole, -1 where it holds none.

    It and all its products but neutrinos must be within `radius` of the jet's axis.
    """
    parent, n_resonance = resonances.parent, len(resonances.parent)
    event = record.event[parent]
    resonance, jet = span_pairs(np.searchsorted(jets.event, event), np.searchsorted(jets.event, event, side="right"))
    inside = _near(record, parent[resonance], jets, jet, radius)
    visible = ~np.isin(record.kind[resonances.product], NEUTRINOS)
    owner, product = resonances.owner[visible], resonances.product[visible]
    order = np.argsort(owner, kind="stable")
    owner, product = owner[order], product[order]
    start, stop = (
        np.searchsorted(owner, np.arange(n_resonance)),
        np.searchsorted(owner, np.arange(n_resonance), side="right"),
    )
    pair, place = span_pairs(start[resonance], stop[resonance])
    outside = ~_near(record, product[place], jets, jet[pair], radius)
    inside &= np.bincount(pair[outside], minlength=len(jet)) == 0
    held = np.full(len(jets.pt), -1, dtype=np.int64)
    held[jet[inside]] = parent[resonance[inside]]
    return held


def _near(record: EventRecord, particle: Integers, jets: Jets, jet: Integers, radius: float) -> Booleans:
    near: Booleans = delta_r(record.eta[particle], record.phi[particle], jets.eta[jet], jets.phi[jet]) < radius
    return near
