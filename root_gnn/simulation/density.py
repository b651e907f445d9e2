"""The transverse momentum density of pile-up, and its subtraction from jets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from root_gnn.clustering.jets import Jets
from root_gnn.simulation.detector import Candidates
from root_gnn.simulation.record import EventRecord
from root_gnn.typing import AnyFloats, Integers

_CELL = 0.5  # in eta
_N_PHI = 12
_EDGE, _END = 2.5, 4.5  # abs(eta): where tracks end, and where jets do


@dataclass(frozen=True)
class Density:
    """Transverse momentum density of pile-up in GeV per unit of area in eta and phi, `(n_event,)` each.

    `inner` holds where there are tracks, so that most charged particles of other collisions are left out, `outer`
    beyond.
    """

    inner: AnyFloats
    outer: AnyFloats

    def at(self, event: Integers, eta: AnyFloats) -> AnyFloats:
        """The density `(n,)` in the events `event (n,)` at pseudorapidities `eta (n,)`."""
        return np.where(np.abs(eta) < _EDGE, self.inner[event], self.outer[event])


def density(candidates: Candidates, record: EventRecord) -> Density:
    """The median over cells of 0.5 in eta and a twelfth of a turn in phi; zero without pile-up.

    The median is hardly affected by the few cells with hard jets (Cacciari, Salam 2008, arXiv:0707.1378).
    """
    n_event = candidates.n_event
    if record.overlaid is None:
        return Density(np.zeros(n_event), np.zeros(n_event))
    n_eta = round(2 * _END / _CELL)
    column = np.floor((candidates.eta + _END) / _CELL).astype(np.int64)
    row = np.floor((candidates.phi + np.pi) / (2 * np.pi) * _N_PHI).astype(np.int64) % _N_PHI
    inside = (column >= 0) & (column < n_eta)
    cell = (candidates.event * n_eta + column) * _N_PHI + row
    total = np.bincount(cell[inside], candidates.pt[inside], n_event * n_eta * _N_PHI)
    per_area = total.reshape(n_event, n_eta, _N_PHI) / (_CELL * 2 * np.pi / _N_PHI)
    middle = np.abs((np.arange(n_eta) + 0.5) * _CELL - _END) < _EDGE
    return Density(*(np.median(per_area[:, chosen].reshape(n_event, -1), axis=1) for chosen in (middle, ~middle)))


def without_pileup(jets: Jets, density: Density, radius: float) -> Jets:
    """The jets with the density times their area `pi radius^2` subtracted; directions stay."""
    share = density.at(jets.event, jets.eta) * np.pi * radius**2 / jets.pt
    left = np.maximum(1.0 - share, 0.0)
    return Jets(jets.event, jets.pt * left, jets.eta, jets.phi, jets.energy * left)
