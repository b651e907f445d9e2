"""Heavy particles that decay inside a jet: their decay products, and the jet that contains all visible ones."""

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
    """The decay inside a jet of a class: a particle `parent` with `n_product` final quarks, gluons and leptons.

    Neutrinos are counted. `n_lepton` of the products are electrons or muons; `flavour` is the code of all others, 0 for
    any quark.
    """

    parent: int
    n_product: int
    n_lepton: int = 0
    flavour: int = 0


@dataclass(frozen=True)
class Resonances:
    """Particles as they decay and their products.

    `parent (n_resonance,)` are indices in event order; `product (n_product,)` belongs to `parent[owner]`.
    """

    parent: Integers
    owner: Integers
    product: Integers


def find_resonances(record: EventRecord, decay: Decay) -> Resonances:
    """All particles of an event that decay in the given way.

    Decays are followed through W, Z and Higgs bosons to quarks, leptons and gluons.
    """
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
    new_index = np.cumsum(good) - 1
    kept = good[owner]
    return Resonances(parent[good], new_index[owner[kept]], product[kept])


def _products(record: EventRecord, parent: Integers) -> tuple[Integers, Integers]:
    """Final decay products of `parent`, as two flat arrays: the position of the parent in `parent`, and the product."""
    owner, front = np.arange(len(parent)), parent
    owners: list[Integers] = []
    products: list[Integers] = []
    while len(front):
        position, child = record.children(front)
        owner = owner[position]
        heavy = np.isin(record.kind[child], HEAVY)
        owners.append(owner[~heavy])
        products.append(child[~heavy])
        owner, front = owner[heavy], record.last_copy(child[heavy])
    return np.concatenate(owners) if owners else parent, np.concatenate(products) if products else parent


def match_jets(record: EventRecord, jets: Jets, resonances: Resonances, radius: float) -> Integers:
    """The particle of the record that each jet `(n_jet,)` contains completely, -1 where there is none.

    It and all its products except neutrinos must be within `radius` of the jet's axis.
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
    pair, position = span_pairs(start[resonance], stop[resonance])
    outside = ~_near(record, product[position], jets, jet[pair], radius)
    inside &= np.bincount(pair[outside], minlength=len(jet)) == 0
    matched = np.full(len(jets.pt), -1, dtype=np.int64)
    matched[jet[inside]] = parent[resonance[inside]]
    return matched


def _near(record: EventRecord, particle: Integers, jets: Jets, jet: Integers, radius: float) -> Booleans:
    """Whether particles are within `radius` of the axes of jets, pair by pair.

    Args:
        record: the generated particles.
        particle: indices of particles, `(n_pair,)`.
        jets: the jets.
        jet: indices of jets, `(n_pair,)`.
        radius: distance in eta and phi.
    """
    near: Booleans = delta_r(record.eta[particle], record.phi[particle], jets.eta[jet], jets.phi[jet]) < radius
    return near
