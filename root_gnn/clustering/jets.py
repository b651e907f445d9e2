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

from root_gnn.errors import MissingExtra
from root_gnn.kinematics.fourvectors import to_cylindrical

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Jets:
    """Jets of all events one after the other, hardest first within an event; arrays are `(n_jet,)`, GeV and radians."""

    event: NDArray[np.int64]
    pt: Floats
    eta: Floats
    phi: Floats
    energy: Floats


def _fastjet() -> Any:
    try:
        import fastjet
    except ImportError as error:
        raise MissingExtra("fastjet", "sim", "Clustering jets") from error
    return fastjet


@contextmanager
def _without_banner() -> Iterator[None]:
    """FastJet's C++ prints a banner at its first clustering, in every process; the documentation cites FastJet instead."""
    sys.stdout.flush()
    saved, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(nowhere)


def cluster_jets(px: Floats, py: Floats, pz: Floats, energy: Floats, *, counts: NDArray[np.int64], radius: float, min_pt: float) -> Jets:
    """Anti-kT jets above `min_pt` of particles `(n_particle,)` given event after event, `counts (n_event,)` particles each."""
    fastjet = _fastjet()
    n_event = len(counts)
    if not len(px):
        empty = np.zeros(0)
        return Jets(np.zeros(0, dtype=np.int64), empty, empty, empty, empty)
    particles = ak.unflatten(ak.zip({"px": px, "py": py, "pz": pz, "E": energy}), counts)
    with _without_banner():
        sequence = fastjet.ClusterSequence(particles, fastjet.JetDefinition(fastjet.antikt_algorithm, radius))
        found = sequence.inclusive_jets(min_pt)
    event = np.repeat(np.arange(n_event), ak.to_numpy(ak.num(found.px)))
    x, y, z, e = (ak.to_numpy(ak.flatten(found[name])) for name in ("px", "py", "pz", "E"))
    pt, eta, phi = to_cylindrical(x, y, z)
    order = np.lexsort((-pt, event))
    return Jets(event[order], pt[order], eta[order], phi[order], e[order])
