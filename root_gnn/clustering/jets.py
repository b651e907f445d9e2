"""Anti-kT jets of many events at once (Cacciari, Salam, Soyez 2008, arXiv:0802.1189; FastJet 2012, arXiv:1111.6097)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.errors import MissingExtraError
from root_gnn.kinematics.fourvectors import to_cylindrical
from root_gnn.typing import AnyFloats


@dataclass(frozen=True)
class Jets:
    """Jets of all events one after the other, hardest first within an event; arrays are `(n_jet,)`, GeV and radians."""

    event: NDArray[np.int64]
    pt: AnyFloats
    eta: AnyFloats
    phi: AnyFloats
    energy: AnyFloats


def _fastjet() -> Any:
    try:
        import fastjet
    except ImportError as error:
        raise MissingExtraError("fastjet", "sim", "Clustering jets") from error
    return fastjet


@contextmanager
def _without_banner() -> Iterator[None]:
    """Silences the banner of FastJet's C++ at its first clustering; the documentation cites FastJet instead."""
    sys.stdout.flush()
    saved, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(nowhere)


@dataclass(frozen=True)
class JetMembers:
    """Which particle is in which jet, jet after jet.

    `jet (n_member,)` is the position of the jet among all jets, `particle (n_member,)` that of the particle among all
    particles that were clustered.
    """

    jet: NDArray[np.int64]
    particle: NDArray[np.int64]


def cluster_jets(
    px: AnyFloats,
    py: AnyFloats,
    pz: AnyFloats,
    energy: AnyFloats,
    *,
    counts: NDArray[np.int64],
    radius: float,
    min_pt: float,
) -> Jets:
    """Anti-kT jets above `min_pt`; raises MissingExtraError without FastJet.

    Args:
        px: x component of the momentum of each particle, `(n_particle,)`, GeV, event after event.
        py: y component, as `px`.
        pz: z component, as `px`.
        energy: energies `(n_particle,)`, GeV.
        counts: number of particles of each event, `(n_event,)`.
        radius: the radius parameter R.
        min_pt: jets below are left out, GeV.
    """
    if not len(px):
        return _NO_JETS
    sequence = _anti_kt(px, py, pz, energy, counts, radius)
    return _ordered(sequence.inclusive_jets(min_pt))[0]


def cluster_members(
    px: AnyFloats,
    py: AnyFloats,
    pz: AnyFloats,
    energy: AnyFloats,
    *,
    counts: NDArray[np.int64],
    radius: float,
    min_pt: float,
) -> tuple[Jets, JetMembers]:
    """Anti-kT jets above `min_pt` and the particles of each; raises MissingExtraError without FastJet.

    Args:
        px: x component of the momentum of each particle, `(n_particle,)`, GeV, event after event.
        py: y component, as `px`.
        pz: z component, as `px`.
        energy: energies `(n_particle,)`, GeV.
        counts: number of particles of each event, `(n_event,)`.
        radius: the radius parameter R.
        min_pt: jets below are left out, GeV.
    """
    if not len(px):
        return _NO_JETS, JetMembers(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    sequence = _anti_kt(px, py, pz, energy, counts, radius)
    jets, order = _ordered(sequence.inclusive_jets(min_pt))
    within = sequence.constituent_index(min_pt)  # in FastJet's order of jets, counted within the event
    start = np.cumsum(counts) - counts
    particle = ak.flatten(within + start, axis=1)[order]
    owner = np.repeat(np.arange(len(order)), ak.to_numpy(ak.num(particle)))
    return jets, JetMembers(owner, ak.to_numpy(ak.flatten(particle)).astype(np.int64))


def _anti_kt(
    px: AnyFloats, py: AnyFloats, pz: AnyFloats, energy: AnyFloats, counts: NDArray[np.int64], radius: float
) -> Any:
    """FastJet's cluster sequence of all events.

    Args:
        px: x component of the momentum of each particle, `(n_particle,)`, GeV, event after event.
        py: y component, as `px`.
        pz: z component, as `px`.
        energy: energies `(n_particle,)`, GeV.
        counts: number of particles of each event, `(n_event,)`.
        radius: the radius parameter R.
    """
    fastjet = _fastjet()
    particles = ak.unflatten(ak.zip({"px": px, "py": py, "pz": pz, "E": energy}), counts)
    with _without_banner():
        return fastjet.ClusterSequence(particles, fastjet.JetDefinition(fastjet.antikt_algorithm, radius))


def _ordered(jets: ak.Array) -> tuple[Jets, NDArray[np.int64]]:
    """FastJet's jets, hardest first in each event, and the position of each in FastJet's own order."""
    event = np.repeat(np.arange(len(jets)), ak.to_numpy(ak.num(jets.px)))
    x, y, z, e = (ak.to_numpy(ak.flatten(jets[name])) for name in ("px", "py", "pz", "E"))
    pt, eta, phi = to_cylindrical(x, y, z)
    order = np.lexsort((-pt, event))
    return Jets(event[order], pt[order], eta[order], phi[order], e[order]), order


_NO_JETS = Jets(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))
