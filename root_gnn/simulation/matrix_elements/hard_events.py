"""Unweighted hard events of a top pair and a Higgs boson with any CP angle.

They combine the amplitudes of this library, its phase space and Pythia's parton densities.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from root_gnn.simulation.matrix_elements.importance import Grid
from root_gnn.simulation.matrix_elements.phase_space import (
    N_RANDOM,
    THRESHOLD,
    PhaseSpaceSample,
    sample,
    transverse_mass_squared,
)
from root_gnn.simulation.matrix_elements.proton import ANTIQUARKS, GLUON, QUARKS, Proton
from root_gnn.simulation.matrix_elements.tth import HIGGS_MASS, TOP_MASS, VACUUM, Kinematics, TopPairHiggs, squared
from root_gnn.typing import Floats

_GEV2_TO_PB = 3.893793721e8
_PREPARATION_SEED, _PILOT, _BLOCK = 1, 20_000, 5_000  # points that set the maximum, points of a draw
CHANNELS = ((GLUON, GLUON), *((code, -code) for code in (*QUARKS, *ANTIQUARKS)))


@dataclass(frozen=True)
class HardEvents:
    """`n` events in the laboratory: momenta `(n, 4)`, codes of the partons `(n, 2)`, factorisation scale in GeV `(n,)`.

    `first_near (n,)`: whether the colour of the first of two gluons continues in the top (the colour flow is drawn from
    the colour-ordered amplitudes).
    """

    point: Kinematics
    codes: NDArray[np.int64]
    first_near: NDArray[np.bool_]
    scale: Floats

    def __len__(self) -> int:
        return len(self.scale)


class Sampler:
    """Draws events; the cross section in pb and its statistical error come from the first set of points.

    An event with a weight above the largest one of the preparation is repeated as often as the ratio of the two
    demands, so the events are unweighted without loss.
    """

    def __init__(self, process: TopPairHiggs, rng: np.random.Generator) -> None:
        self._rng = rng
        self._integrand, self._grid, self._largest = _prepared(process)
        self._next = self._draw()
        weight = self._next.weight
        self.cross_section = float(weight.mean())
        self.error = float(weight.std() / np.sqrt(len(weight)))

    def block(self) -> HardEvents:
        """The events accepted from some thousand points."""
        drawn, self._next = self._next, self._draw()
        return drawn.events(self._largest, self._rng)

    def _draw(self) -> _Drawn:
        uniform, volume = self._grid.draw(_BLOCK, self._rng)
        return self._integrand(uniform, volume)


@lru_cache(maxsize=4)
def _prepared(process: TopPairHiggs) -> tuple[_Integrand, Grid, float]:
    """The integrand, a grid adapted to it, and the largest weight seen; made once in a process and shared."""
    rng = np.random.default_rng(_PREPARATION_SEED)
    integrand, grid = _Integrand(process), Grid(N_RANDOM)
    grid.adapt(lambda uniform: integrand(uniform, np.ones(len(uniform))).weight, _BLOCK, rng)
    uniform, volume = grid.draw(_PILOT, rng)
    return integrand, grid, float(integrand(uniform, volume).weight.max())


@dataclass(frozen=True)
class _Drawn:
    """Points with their weights `(n, n_channel)` in pb, and the share of the first gluon's colour flow `(n,)`."""

    sampled: PhaseSpaceSample
    by_channel: Floats
    first_near: Floats

    @property
    def weight(self) -> Floats:
        summed: Floats = self.by_channel.sum(axis=1)
        return summed

    def events(self, largest: float, rng: np.random.Generator) -> HardEvents:
        """Accepts points with probability weight over `largest`, and draws their channel and colour flow."""
        weight = self.weight
        times = np.floor(weight / largest + rng.random(len(weight))).astype(np.int64)
        chosen = np.repeat(np.arange(len(weight)), times)
        share = self.by_channel[chosen].cumsum(axis=1)
        channel = (share <= share[:, -1:] * rng.random((len(chosen), 1))).sum(axis=1)
        boost = 0.5 * np.log(self.sampled.x1 / self.sampled.x2)[chosen]
        point = Kinematics(
            *(_along_beam(getattr(self.sampled.point, field.name)[chosen], boost) for field in fields(Kinematics))
        )
        near = self.first_near[chosen] > rng.random(len(chosen))
        return HardEvents(point, np.array(CHANNELS)[channel], near, np.sqrt(_factorisation(point)))


class _Integrand:
    """Amplitudes, densities and phase space together."""

    def __init__(self, process: TopPairHiggs) -> None:
        self._ecm, self._angle = process.ecm, float(np.radians(process.cp_angle))
        self._proton = Proton((THRESHOLD / process.ecm) ** 2, (HIGGS_MASS * TOP_MASS, process.ecm**2 / 4.0))

    def __call__(self, uniform: Floats, volume: Floats) -> _Drawn:
        """Points from random numbers `(n, N_RANDOM)` of inverse density `volume (n,)`."""
        sampled = sample(uniform, self._ecm)
        amplitude, scale = squared(sampled.point, self._angle), _factorisation(sampled.point)
        by_side = {1: amplitude.quark_first, -1: amplitude.quark_second}
        coupling = 4.0 * np.pi * self._proton.coupling(_renormalisation(sampled.point)) * TOP_MASS / VACUUM
        flux = _GEV2_TO_PB * coupling**2 * sampled.volume * volume / (2.0 * sampled.s * sampled.x1 * sampled.x2)
        first, second = (
            {code: self._proton.density(code, x, scale) for code in (GLUON, *QUARKS, *ANTIQUARKS)}
            for x in (sampled.x1, sampled.x2)
        )
        weights = [
            flux * first[one] * second[two] * (amplitude.gluons if one == GLUON else by_side[int(np.sign(one))])
            for one, two in CHANNELS
        ]
        return _Drawn(sampled, np.stack(weights, axis=1), amplitude.first_near)


def _transverse(point: Kinematics) -> Floats:
    """Squared transverse masses of top, antitop and Higgs boson, `(n, 3)`, the smallest first."""
    return np.sort(
        np.stack([transverse_mass_squared(p) for p in (point.top, point.antitop, point.higgs)], axis=1), axis=1
    )


def _factorisation(point: Kinematics) -> Floats:
    """Geometric mean of the two smallest squared transverse masses, as Pythia takes it."""
    scale: Floats = np.sqrt(_transverse(point)[:, :2].prod(axis=1))
    return scale


def _renormalisation(point: Kinematics) -> Floats:
    """Geometric mean of the three squared transverse masses, as Pythia takes it."""
    scale: Floats = np.cbrt(_transverse(point).prod(axis=1))
    return scale


def _along_beam(p: Floats, rapidity: Floats) -> Floats:
    """Momenta `(n, 4)` boosted along the beam by `rapidity (n,)`."""
    cosh, sinh = np.cosh(rapidity), np.sinh(rapidity)
    return np.stack((p[:, 0] * cosh + p[:, 3] * sinh, p[:, 1], p[:, 2], p[:, 3] * cosh + p[:, 0] * sinh), axis=1)
