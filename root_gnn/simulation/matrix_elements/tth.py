"""Tree-level amplitudes of `g g` and `q qbar` to top, antitop and a Higgs boson with any CP angle.

The coupling to tops is `-(m/v) (cos a + i sin a gamma5)`: `a = 0` is the Higgs boson of the standard model, `a = 90`
degrees CP-odd (Demartin, Maltoni, Mawatari, Page, Zaro 2014, arXiv:1407.5089). Spins and colours are summed exactly.
Energies in GeV.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.simulation.matrix_elements.dirac import (
    GAMMA,
    GAMMA5,
    IDENTITY,
    Momenta,
    antiparticle_spinors,
    bar,
    dot,
    gluon_polarisations,
    particle_spinors,
    propagator,
    slash,
)
from root_gnn.typing import Complexes, Floats

TOP_MASS, HIGGS_MASS, VACUUM = 173.0, 125.0, 246.22
# colour sums of |T1 T2|^2 and of T1 T2 with T2 T1 reversed; averages over spins and colours of what comes in
_SAME, _CROSSED, _GLUON_AVERAGE = 16.0 / 3.0, -2.0 / 3.0, 1.0 / (4 * 64)
_QUARK_COLOUR, _QUARK_AVERAGE = 2.0, 1.0 / (4 * 9)


@dataclass(frozen=True)
class TopPairHiggs:
    """A process to generate: `cp_angle` in degrees (0 CP-even, 90 CP-odd), collision energy `ecm` in GeV."""

    cp_angle: float
    ecm: float


@dataclass(frozen=True)
class Kinematics:
    """Momenta `(n, 4)` in the frame where the two incoming partons, `first` along +z, are back to back."""

    first: Floats
    second: Floats
    top: Floats
    antitop: Floats
    higgs: Floats


class TopLine:
    """The fermion line from antitop to top for all pairs of spins, with the Higgs boson attached wherever possible.

    `angle` is the CP angle in radians.
    """

    def __init__(self, point: Kinematics, angle: float) -> None:
        self._point = point
        self._coupling = np.cos(angle) * IDENTITY + 1j * np.sin(angle) * GAMMA5
        self._top = bar(particle_spinors(point.top, TOP_MASS))
        self._antitop = antiparticle_spinors(point.antitop, TOP_MASS)

    @cached_property
    def _top_higgs(self) -> Complexes:
        """The Higgs boson from the top: rows `(n, 2, 4)`."""
        rows: Complexes = self._top @ self._coupling @ propagator(self._point.top + self._point.higgs, TOP_MASS)
        return rows

    @cached_property
    def _antitop_higgs(self) -> Complexes:
        """The Higgs boson from the antitop: columns `(n, 4, 2)`."""
        columns: Complexes = (
            propagator(-self._point.antitop - self._point.higgs, TOP_MASS) @ self._coupling @ self._antitop
        )
        return columns

    def with_current(self, current: Momenta) -> Complexes:
        """One vector current `(n, a, b, 4)` that ends on the line: `(n, a, b, 2, 2)`, spins of top and antitop last."""
        vertex = slash(current)
        before, after = self._top_higgs[:, None, None], self._antitop_higgs[:, None, None]
        amplitude: Complexes = (
            before @ vertex @ self._antitop[:, None, None] + self._top[:, None, None] @ vertex @ after
        )
        return amplitude

    def with_gluons(self, near: Floats, near_pol: Complexes, far: Floats, far_pol: Complexes) -> Complexes:
        """Amplitudes `(n, a, b, 2, 2)` of two incoming gluons, the `near` one adjacent to the top.

        The polarisations are `near_pol (n, a, 4)` and `far_pol (n, b, 4)`.
        """
        near_vertex, far_vertex = slash(near_pol), slash(far_pol)
        top = self._top[:, None] @ near_vertex @ propagator(self._point.top - near, TOP_MASS)[:, None]
        antitop = propagator(far - self._point.antitop, TOP_MASS)[:, None] @ far_vertex @ self._antitop[:, None]
        higgs_first = (self._top_higgs[:, None] @ near_vertex)[:, :, None] @ antitop[:, None]
        higgs_between = (top @ self._coupling)[:, :, None] @ antitop[:, None]
        higgs_last = top[:, :, None] @ (far_vertex @ self._antitop_higgs[:, None])[:, None]
        amplitude: Complexes = higgs_first + higgs_between + higgs_last
        return amplitude


def gluon_amplitudes(
    point: Kinematics, angle: float, first_pol: Complexes, second_pol: Complexes
) -> tuple[Complexes, Complexes]:
    """Colour-ordered amplitudes `(n, a, b, 2, 2)`, the first gluon next to the top and the second one next to it.

    `first_pol (n, a, 4)`, `second_pol (n, b, 4)`: polarisation vectors. The first belongs to the colour matrices `T1
    T2`, the second to `T2 T1`; `g^2` and `m/v` are left out.
    """
    line = TopLine(point, angle)
    fused = line.with_current(_three_gluons(point, first_pol[:, :, None], second_pol[:, None]))
    first_near = line.with_gluons(point.first, first_pol, point.second, second_pol)
    second_near = line.with_gluons(point.second, second_pol, point.first, first_pol).swapaxes(1, 2)
    return first_near + fused, second_near - fused


def _three_gluons(point: Kinematics, first_pol: Complexes, second_pol: Complexes) -> Complexes:
    """The current of two gluons that fuse, divided by its virtuality."""
    first, second = point.first[:, None, None], point.second[:, None, None]
    total = first + second
    current: Complexes = (
        dot(first_pol, second_pol)[..., None] * (first - second)
        + 2.0 * dot(second, first_pol)[..., None] * second_pol
        - 2.0 * dot(first, second_pol)[..., None] * first_pol
    )
    return current / dot(total, total)[..., None]


def quark_amplitudes(point: Kinematics, angle: float, quark: Floats, antiquark: Floats) -> Complexes:
    """Amplitudes `(n, 2, 2, 2, 2)` over the spins of antiquark, quark, top and antitop.

    Colour matrices, `g^2` and `m/v` are left out.
    """
    incoming, outgoing = particle_spinors(quark, 0.0), bar(antiparticle_spinors(antiquark, 0.0))
    current = np.stack([outgoing @ gamma @ incoming for gamma in GAMMA], axis=-1)
    total = quark + antiquark
    return TopLine(point, angle).with_current(current / dot(total, total)[:, None, None, None])


@dataclass(frozen=True)
class Squared:
    """Squared amplitudes `(n,)`, summed and averaged over spins and colours, in units of `g^4 (m/v)^2` (GeV^-2).

    `gluons`: from two gluons; `first_near`: the share of the colour flow that runs from the first gluon to the top.
    `quark_first`, `quark_second`: from a quark as first or second parton and its antiquark.
    """

    gluons: Floats
    first_near: Floats
    quark_first: Floats
    quark_second: Floats


def squared(point: Kinematics, angle: float) -> Squared:
    """All squared amplitudes of momenta `point`; `angle` in radians."""
    gluons, first_near = gluons_squared(point, angle)
    return Squared(
        gluons,
        first_near,
        quarks_squared(point, angle, point.first, point.second),
        quarks_squared(point, angle, point.second, point.first),
    )


def gluons_squared(point: Kinematics, angle: float, first_pol: Complexes | None = None) -> tuple[Floats, Floats]:
    """`Squared.gluons` and `.first_near`; `first_pol (n, a, 4)` replaces the helicities of the first gluon."""
    helicities = gluon_polarisations(len(point.first))
    one, two = gluon_amplitudes(point, angle, helicities if first_pol is None else first_pol, helicities)
    flow_one, flow_two, mixed = _sum(abs(one) ** 2), _sum(abs(two) ** 2), _sum((one * two.conj()).real)
    summed = _SAME * (flow_one + flow_two) + 2.0 * _CROSSED * mixed
    return _GLUON_AVERAGE * summed, flow_one / (flow_one + flow_two)


def quarks_squared(point: Kinematics, angle: float, quark: Floats, antiquark: Floats) -> Floats:
    """`Squared.quark_first` or `.quark_second`, depending on the momenta `quark` and `antiquark` `(n, 4)`."""
    return _QUARK_AVERAGE * _QUARK_COLOUR * _sum(abs(quark_amplitudes(point, angle, quark, antiquark)) ** 2)


def _sum(values: NDArray[Any]) -> Floats:
    total: Floats = values.sum(axis=(1, 2, 3, 4))
    return total
