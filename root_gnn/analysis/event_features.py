"""Engineered event features for trees: what an analysis would put into a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import NODE_TYPES, Features
from root_gnn.kinematics.angles import delta_phi, delta_r
from root_gnn.typing import Floats

JET, ELECTRON, MUON, PHOTON, MET = range(len(NODE_TYPES))
N_JET, N_BJET, N_LEPTON, N_PHOTON = 6, 2, 2, 2


class EventObjects:
    """The nodes of all events as columns, with the k-th hardest of a kind per event."""

    def __init__(self, batch: Batch, features: Features) -> None:
        self.event, self.n_event = batch.graph_index.numpy(), batch.n_graph
        columns = dict(zip(features.nodes, batch.nodes.numpy().astype(np.float64).T, strict=True))
        self.pt, self.eta, self.phi, self.energy, self.type = (
            columns[name] for name in ("pt", "eta", "phi", "energy", "type")
        )
        self.btag, self.charge = (columns.get(name, np.zeros(len(self.event))) for name in ("btag", "charge"))
        self.px, self.py, self.pz = self.pt * np.cos(self.phi), self.pt * np.sin(self.phi), self.pt * np.sinh(self.eta)

    def hardest(self, chosen: NDArray[np.bool_], n: int) -> list[NDArray[np.int64]]:
        """Rows of the `n` hardest chosen objects of each event, `(n_event,)` each; -1 where there are fewer."""
        rows = np.flatnonzero(chosen)
        rows = rows[np.lexsort((-self.pt[rows], self.event[rows]))]
        rank = np.arange(len(rows)) - np.searchsorted(self.event[rows], self.event[rows])
        found = []
        for k in range(n):
            place = np.full(self.n_event, -1)
            place[self.event[rows[rank == k]]] = rows[rank == k]
            found.append(place)
        return found

    def of(self, column: Floats, rows: NDArray[np.int64]) -> Floats:
        """Reads a column at one row per event; NaN, which trees take as missing, where there is no row."""
        return np.where(rows >= 0, column[rows], np.nan).astype(np.float64)

    def mass(self, *rows: NDArray[np.int64]) -> Floats:
        """Invariant mass of one object per argument, GeV."""
        energy, px, py, pz = (
            np.sum([self.of(column, row) for row in rows], axis=0)
            for column in (self.energy, self.px, self.py, self.pz)
        )
        return np.asarray(np.sqrt(np.maximum(energy**2 - px**2 - py**2 - pz**2, 0.0)), dtype=np.float64)

    def distance(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> Floats:
        """Delta R of two objects."""
        places = [self.of(column, rows) for rows in (one, other) for column in (self.eta, self.phi)]
        return np.asarray(delta_r(*places), dtype=np.float64)

    def transverse_mass(self, one: NDArray[np.int64], met: NDArray[np.int64]) -> Floats:
        """Transverse mass of an object and the missing momentum, GeV."""
        opening = 1.0 - np.cos(delta_phi(self.of(self.phi, one), self.of(self.phi, met)))
        return np.asarray(np.sqrt(2.0 * self.of(self.pt, one) * self.of(self.pt, met) * opening), dtype=np.float64)


def check_events(spec: Spec) -> None:
    """Raises InputError unless graphs are whole events in the standard numbering of node types.

    The types are jets, electrons, muons, photons and missing transverse momentum.
    """
    if spec.graph_per is not None or spec.object is not None:
        raise InputError(
            f"features of events need a graph for each event, and the spec {spec.name} has one for each jet"
        )
    other = [
        name for name, nodes in spec.nodes.items() if nodes.type < len(NODE_TYPES) and NODE_TYPES[nodes.type] != name
    ]
    if other:
        numbered = ", ".join(f"{name} {number}" for number, name in enumerate(NODE_TYPES))
        raise InputError(
            f"features of events need nodes of the types {numbered}, and in the spec {spec.name} type "
            f"{spec.nodes[other[0]].type} is {other[0]}"
        )


def event_features(batch: Batch, features: Features) -> Floats:
    """Computes multiplicities, momenta, HT, MET, masses and distances of each event, `(n_event, n_feature)`.

    Undefined features are NaN. Energies, momenta and masses are in GeV, angles in radians. `features` names the columns
    of the nodes.
    """
    o = EventObjects(batch, features)
    is_jet, is_tagged = o.type == JET, (o.type == JET) & (o.btag > 0)
    is_lepton = (o.type == ELECTRON) | (o.type == MUON)
    jets, bjets = o.hardest(is_jet, N_JET), o.hardest(is_tagged, N_BJET)
    leptons, photons, (met,) = (
        o.hardest(is_lepton, N_LEPTON),
        o.hardest(o.type == PHOTON, N_PHOTON),
        o.hardest(o.type == MET, 1),
    )
    # Multiplicities and HT.
    columns: list[NDArray[Any]] = [
        np.bincount(o.event[o.type == kind], minlength=o.n_event) for kind in (JET, ELECTRON, MUON, PHOTON)
    ]
    columns += [
        np.bincount(o.event[is_tagged], minlength=o.n_event),
        np.bincount(o.event[is_jet], o.pt[is_jet], o.n_event),
    ]
    # Momenta and angles of the hardest objects.
    columns += [o.of(o.pt, rows) for rows in (*jets, *bjets, *leptons, *photons, met)]
    columns += [np.abs(o.of(o.eta, rows)) for rows in (*jets[:4], *leptons)]
    # Masses and distances of pairs.
    columns += [o.mass(jets[i], jets[k]) for k in range(4) for i in range(k)]
    columns += [o.mass(*pair) for pair in (bjets, leptons, photons)] + [o.mass(bjets[0], leptons[0])]
    columns += [o.distance(*pair) for pair in (jets[:2], bjets, leptons)] + [o.distance(bjets[0], leptons[0])]
    columns += [o.transverse_mass(rows, met) for rows in leptons]
    # Charges and flavours of the leptons.
    first, second = leptons
    columns += [
        o.of(o.charge, first),
        o.of(o.charge, first) * o.of(o.charge, second),
        o.of(o.type, first) == o.of(o.type, second),
    ]
    # Mass of all objects together; rounding may make its square negative.
    total = [np.bincount(o.event, column, o.n_event) for column in (o.energy, o.px, o.py, o.pz)]
    columns.append(np.sqrt(np.maximum(total[0] ** 2 - total[1] ** 2 - total[2] ** 2 - total[3] ** 2, 0.0)))
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)
