"""Generated particles of a batch of events as flat arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.kinematics.fourvectors import mass, to_cylindrical
from root_gnn.typing import AnyFloats, Booleans, Integers

HARD, NEAR, APART = range(3)
"""Origin of a particle in an event with pile-up: hard collision, one that tracks cannot separate from it, any other."""


@dataclass(frozen=True)
class Overlaid:
    """Pile-up of an event record.

    `n_collision (n_event,)` is the number of collisions laid over each event, `collision (n_particle,)` the origin of
    each particle.
    """

    n_collision: Integers
    collision: Integers


@dataclass(frozen=True)
class EventRecord:
    """Particles of `n_event` events, ordered by event; every array except `weight (n_event,)` is `(n_particle,)`.

    Attributes:
        n_event: number of events.
        event: the event of a particle.
        pdg: the particle's PDG number.
        final: whether the particle reaches the detector.
        mother: index of the first mother in these arrays; the event's first entry, which represents the event itself,
            where there is none.
        px: momentum in GeV.
        py: momentum in GeV.
        pz: momentum in GeV.
        energy: energy in GeV.
        x: production vertex relative to the collision, mm.
        y: production vertex relative to the collision, mm.
        z: production vertex relative to the collision, mm.
        weight: weight of each event, `(n_event,)`.
        variations: factors on the weight by name, `(n_event,)` each.
        overlaid: the pile-up; None without.
    """

    n_event: int
    event: Integers
    pdg: Integers
    final: Booleans
    mother: Integers
    px: AnyFloats
    py: AnyFloats
    pz: AnyFloats
    energy: AnyFloats
    x: AnyFloats
    y: AnyFloats
    z: AnyFloats
    weight: AnyFloats
    variations: Mapping[str, AnyFloats] = field(default_factory=dict)
    overlaid: Overlaid | None = None

    @cached_property
    def _cylindrical(self) -> tuple[AnyFloats, AnyFloats, AnyFloats]:
        return to_cylindrical(self.px, self.py, self.pz)

    @property
    def pt(self) -> AnyFloats:
        """Transverse momentum in GeV."""
        return self._cylindrical[0]

    @property
    def eta(self) -> AnyFloats:
        """Pseudorapidity."""
        return self._cylindrical[1]

    @property
    def phi(self) -> AnyFloats:
        """Azimuth in radians, between -pi and pi."""
        return self._cylindrical[2]

    @cached_property
    def mass(self) -> AnyFloats:
        """Invariant mass in GeV; 0 where rounding makes its square negative."""
        masses: AnyFloats = mass(self.px, self.py, self.pz, self.energy)
        return masses

    @cached_property
    def kind(self) -> Integers:
        """The PDG number without its sign."""
        return np.abs(self.pdg)

    @cached_property
    def is_last_copy(self) -> Booleans:
        """False for a particle that continues as a daughter with the same code (recoil, radiation)."""
        last = np.ones(len(self.pdg), dtype=bool)
        last[self.mother[self.pdg[self.mother] == self.pdg]] = False
        return last

    @cached_property
    def _by_mother(self) -> tuple[Integers, Integers]:
        order = np.argsort(self.mother, kind="stable")
        return order, self.mother[order]

    def children(self, index: Integers) -> tuple[Integers, Integers]:
        """All `(i, child)`: particles whose first mother is `index[i]`, as two flat index arrays."""
        order, mother = self._by_mother
        owner, position = span_pairs(np.searchsorted(mother, index), np.searchsorted(mother, index, side="right"))
        return owner, order[position]

    def last_copy(self, index: Integers) -> Integers:
        """Particles `index` as they decay: followed through daughters of the same code."""
        last = index.copy()
        while True:
            owner, child = self.children(last)
            same = self.pdg[child] == self.pdg[last[owner]]
            if not same.any():
                return last
            last[owner[same]] = child[same]

    def first_copy(self, index: Integers) -> Integers:
        """Particles `index` as they were born: followed back through mothers of the same code."""
        first = index.copy()
        while True:
            mother = self.mother[first]
            is_copy = (self.pdg[mother] == self.pdg[first]) & (mother != first)
            if not is_copy.any():
                return first
            first[is_copy] = mother[is_copy]

    def parent_kind(self, index: Integers) -> Integers:
        """Code without sign of what particles `index` were born from, their own earlier copies skipped."""
        return self.kind[self.mother[self.first_copy(index)]]


def span_pairs(start: NDArray[Any], stop: NDArray[Any]) -> tuple[Integers, Integers]:
    """All `(i, j)` with `start[i] <= j < stop[i]`, as two flat index arrays: pairs within events without a loop."""
    count = np.asarray(stop - start, dtype=np.int64)
    owner = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    return owner, np.asarray(start, dtype=np.int64)[owner] + within
