"""Momenta of two partons to top, antitop and Higgs boson, drawn at random with their density.

The partons' share of the beams' energy falls like a power; the top pair's mass is drawn between its limits; angles are
uniform in the frames of the two-body decays `partons to pair and Higgs` and `pair to top and antitop` (Byckling and
Kajantie 1973, "Particle Kinematics", chapter V).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from root_gnn.simulation.matrix_elements.dirac import METRIC, dot
from root_gnn.simulation.matrix_elements.tth import HIGGS_MASS, TOP_MASS, Kinematics
from root_gnn.typing import Floats

THRESHOLD = 2.0 * TOP_MASS + HIGGS_MASS
N_RANDOM = 7
_FALL = 1.5  # the density of tau = x1 x2 falls like tau to minus this, near what proton and amplitude together do
_TWO_BODY = 1.0 / (8.0 * np.pi)


@dataclass(frozen=True)
class PhaseSpaceSample:
    """`n` points in phase space: momenta in GeV in the frame of the two partons.

    `x1, x2 (n,)` are the partons' fractions of the beam momenta and `s (n,)` their squared mass in GeV^2. `volume (n,)`
    is the inverse density of a point, fractions included: the mean of `volume` times an integrand is the integral.
    """

    point: Kinematics
    x1: Floats
    x2: Floats
    s: Floats
    volume: Floats


def sample(uniform: Floats, ecm: float) -> PhaseSpaceSample:
    """Points made from random numbers `(n, N_RANDOM)` between 0 and 1, for beams of `ecm` GeV together."""
    least = (THRESHOLD / ecm) ** 2
    low, high = least ** (1.0 - _FALL), 1.0
    power = low + uniform[:, 0] * (high - low)
    tau = power ** (1.0 / (1.0 - _FALL))
    volume = (low - high) / (_FALL - 1.0) * tau**_FALL
    half_width = -0.5 * np.log(tau)
    rapidity = (2.0 * uniform[:, 1] - 1.0) * half_width
    point, body_volume = three_bodies(uniform[:, 2:], tau * ecm**2)
    x1, x2 = np.sqrt(tau) * np.exp(rapidity), np.sqrt(tau) * np.exp(-rapidity)
    return PhaseSpaceSample(point, x1, x2, tau * ecm**2, volume * 2.0 * half_width * body_volume)


def three_bodies(uniform: Floats, s: Floats) -> tuple[Kinematics, Floats]:
    """Momenta for partons of squared mass `s (n,)`, and the phase-space volume of each point `(n,)`.

    The points come from random numbers `(n, 5)` between 0 and 1.
    """
    energy = np.sqrt(s)
    lightest, heaviest = 2.0 * TOP_MASS, energy - HIGGS_MASS
    pair_mass = lightest + uniform[:, 0] * (heaviest - lightest)
    p_higgs = _momentum(energy, pair_mass, HIGGS_MASS)
    p_top = _momentum(pair_mass, TOP_MASS, TOP_MASS)
    volume = (
        (heaviest - lightest) * pair_mass / np.pi * _TWO_BODY**2 * (2.0 * p_higgs / energy) * (2.0 * p_top / pair_mass)
    )
    higgs = _on_shell(p_higgs, uniform[:, 1], uniform[:, 2], HIGGS_MASS)
    pair = higgs * METRIC
    pair[:, 0] = energy - higgs[:, 0]
    top = _boost(_on_shell(p_top, uniform[:, 3], uniform[:, 4], TOP_MASS), pair, pair_mass)
    first, second = np.zeros_like(top), np.zeros_like(top)
    first[:, 0] = first[:, 3] = second[:, 0] = 0.5 * energy
    second[:, 3] = -0.5 * energy
    return Kinematics(first, second, top, pair - top, higgs), volume


def _momentum(mass: Floats, first: Floats | float, second: Floats | float) -> Floats:
    """Momentum of the products of a two-body decay in the rest frame of the decaying `mass`, GeV."""
    squared = (mass**2 - (first + second) ** 2) * (mass**2 - (first - second) ** 2)
    momentum: Floats = np.sqrt(np.maximum(squared, 0.0)) / (2.0 * mass)
    return momentum


def _on_shell(momentum: Floats, polar: Floats, azimuthal: Floats, mass: float) -> Floats:
    """Four-momenta `(n, 4)` of given mass and momentum; the angles come from uniform random numbers `(n,)`."""
    cosine, phi = 2.0 * polar - 1.0, 2.0 * np.pi * azimuthal
    sine = np.sqrt(1.0 - cosine**2)
    return np.stack(
        (np.hypot(momentum, mass), momentum * sine * np.cos(phi), momentum * sine * np.sin(phi), momentum * cosine),
        axis=1,
    )


def _boost(p: Floats, frame: Floats, mass: Floats) -> Floats:
    """Boosts `p` from the rest frame of `frame` (of mass `mass`) to the frame in which `frame` is given."""
    energy = (p * frame).sum(axis=1) / mass
    along = (p[:, 0] + energy) / (frame[:, 0] + mass)
    return np.concatenate((energy[:, None], p[:, 1:] + along[:, None] * frame[:, 1:]), axis=1)


def transverse_mass_squared(p: Floats) -> Floats:
    """Squared transverse masses `(n,)` in GeV^2 of momenta `(n, 4)`."""
    squared: Floats = dot(p, p) + p[:, 1] ** 2 + p[:, 2] ** 2
    return squared
