"""Kinematics of pairs of objects: what the pair features of a network are computed from.

A graph network measures angles between pseudorapidities, attention between rapidities, as the Particle Transformer was
published (Qu, Li, Qian 2022, arXiv:2202.03772). Both come as `ObjectPairs`, so that a pair feature has one formula.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from root_gnn.kinematics.angles import delta_eta, delta_phi

EPSILON = 1e-8  # smallest argument of a logarithm and smallest delta_r: an object paired with itself stays finite
LARGEST = 1e13  # GeV; momenta are clipped here, since the square of a larger one overflows float32
LARGEST_DELTA_ETA = 20.0


@dataclass(frozen=True)
class ObjectPairs:
    """Ordered pairs of objects; every tensor is `(..., n_pair)`, in GeV and radians.

    Args:
        pt_first: transverse momentum of the first object, the sender of an edge.
        pt_second: transverse momentum of the second object, the receiver of an edge.
        delta_eta: difference of the two pseudorapidities, or rapidities, first minus second.
        delta_phi: difference of the two azimuths, first minus second, in [-pi, pi].
        delta_r: sqrt(delta_eta^2 + delta_phi^2).
        softer_pt: the smaller of the two transverse momenta.
        mass2: a function that computes the squared mass of the sum of the two four-momenta, GeV^2, where it is needed.
    """

    pt_first: Tensor
    pt_second: Tensor
    delta_eta: Tensor
    delta_phi: Tensor
    delta_r: Tensor
    softer_pt: Tensor
    mass2: Callable[[], Tensor]


def pseudorapidity_kinematics(four_momenta: Tensor) -> Tensor:
    """Columns that `pairs_by_pseudorapidity` needs of each object: pt, eta, phi, energy, |p| and E - |p|, `(..., 6)`.

    `four_momenta (..., 4)`: pt, eta, phi, energy; clipped at `LARGEST`. E - |p| >= 0 is a small difference of two large
    numbers, which single precision would lose in the rounding of the hyperbolic cosine, hence float64 inside.
    """
    pt, eta, phi, energy = four_momenta.double().unbind(-1)
    pt, energy = pt.clamp(0.0, LARGEST), energy.clamp(max=LARGEST)
    momentum = (pt * eta.clamp(-LARGEST_DELTA_ETA, LARGEST_DELTA_ETA).cosh()).clamp(max=LARGEST)
    columns = torch.stack((pt, eta, phi, energy, momentum, (energy - momentum).clamp(min=0.0)), dim=-1)
    return columns.to(four_momenta.dtype)


def pairs_by_pseudorapidity(first: Tensor, second: Tensor) -> ObjectPairs:
    """Pairs of objects `(..., n_pair, 6)` from `pseudorapidity_kinematics`; shapes may broadcast."""
    pt_a, eta_a, phi_a, energy_a, p_a, excess_a = first.unbind(-1)
    pt_b, eta_b, phi_b, energy_b, p_b, excess_b = second.unbind(-1)
    deta, dphi = delta_eta(eta_a, eta_b), delta_phi(phi_a, phi_b)
    distance = (deta * deta + dphi * dphi).clamp(EPSILON * EPSILON, LARGEST * LARGEST).sqrt()

    def mass2() -> Tensor:
        # A sum of terms that are all >= 0, so nothing cancels in single precision. With k = E - |p| the squared mass
        # of one object is k (E + |p|), and E_a E_b - p_a.p_b = p_a k_b + p_b k_a + k_a k_b + pt_a pt_b opening.
        own = excess_a * (energy_a + p_a) + excess_b * (energy_b + p_b)
        return own + 2.0 * (p_a * excess_b + p_b * excess_a + excess_a * excess_b + pt_a * pt_b * _opening(deta, dphi))

    return ObjectPairs(pt_a, pt_b, deta, dphi, distance, torch.minimum(pt_a, pt_b), mass2)


def rapidity_kinematics(four_momenta: Tensor) -> Tensor:
    """Columns that `pairs_by_rapidity` needs of each object: pt, rapidity, phi, mass^2 and mT - pt, `(n_object, 5)`.

    `four_momenta (n_object, 4)`: pt, eta, phi, energy. Computed in float64, as energy minus momentum is a small
    difference of two large numbers.
    """
    pt, eta, phi, energy = four_momenta.double().unbind(1)
    pt, energy = pt.clamp(0.0, LARGEST), energy.clamp(max=LARGEST)
    eta = eta.clamp(-LARGEST_DELTA_ETA, LARGEST_DELTA_ETA)
    momentum = (pt * eta.cosh()).clamp(max=LARGEST)
    mass2 = (energy - momentum).clamp(min=0.0) * (energy + momentum)
    transverse_mass = torch.sqrt((pt * pt + mass2).clamp(min=EPSILON * EPSILON))
    rapidity = torch.asinh(pt * eta.sinh() / transverse_mass)
    columns = torch.stack([pt, rapidity, phi, mass2, mass2 / (transverse_mass + pt)], dim=1)
    return columns.to(four_momenta.dtype)


def pairs_by_rapidity(first: Tensor, second: Tensor) -> ObjectPairs:
    """Pairs of objects `(n_pair, 5)` from `rapidity_kinematics`; `delta_eta` is the difference of the rapidities."""
    pt_a, y_a, phi_a, mass2_a, excess_a = first.unbind(1)
    pt_b, y_b, phi_b, mass2_b, excess_b = second.unbind(1)
    dy, dphi = (y_a - y_b).clamp(-LARGEST_DELTA_ETA, LARGEST_DELTA_ETA), delta_phi(phi_a, phi_b)
    distance2 = dy * dy + dphi * dphi
    # the root's gradient at zero is infinite, so an object with itself takes the constant 0 instead
    is_apart = distance2 > EPSILON * EPSILON
    distance = torch.where(is_apart, distance2.clamp(min=EPSILON * EPSILON).sqrt(), 0.0)

    def mass2() -> Tensor:
        # a sum of terms that are all >= 0, so nothing cancels; mT = pt + excess, and cosh and cos come as half angles
        opening = (0.5 * dy).sinh().square() * (pt_a + excess_a) * (pt_b + excess_b)
        opening = opening + (0.5 * dphi).sin().square() * pt_a * pt_b
        return mass2_a + mass2_b + 4.0 * opening + 2.0 * (pt_a * excess_b + pt_b * excess_a + excess_a * excess_b)

    return ObjectPairs(pt_a, pt_b, dy, dphi, distance, torch.minimum(pt_a, pt_b), mass2)


def _opening(deta: Tensor, dphi: Tensor) -> Tensor:
    """cosh(deta) - cos(dphi) without the cancellation between two numbers near 1."""
    half = 0.5 * deta.clamp(-LARGEST_DELTA_ETA, LARGEST_DELTA_ETA)
    return 2.0 * (half.sinh().square() + (0.5 * dphi).sin().square())
