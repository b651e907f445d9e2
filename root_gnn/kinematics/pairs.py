"""What a network is told about two objects: angles between them and the scales of a branching.

The logarithms of kT, z and m^2 are the pair features of Qu, Li, Qian 2022 (arXiv:2202.03772).
"""

from __future__ import annotations

import torch
from torch import Tensor

from root_gnn.kinematics.angles import delta_eta, delta_phi

PAIR_FEATURES = ("delta_eta", "delta_phi", "delta_r", "ln_kt", "ln_z", "ln_m2")
EPSILON = 1e-8  # floor of every logarithm's argument and of delta_r: an object with itself stays finite
LARGEST = 1e13  # GeV; momenta are cut here, since the square of a larger one leaves float32
LARGEST_DELTA_ETA = 20.0


def pair_features(sender: Tensor, receiver: Tensor) -> Tensor:
    """Six features of each ordered pair, finite for every input below 1e37: `(n_edge, 6)` in the order of `PAIR_FEATURES`.

    `sender`, `receiver`: `(..., n_edge, 4)` or any broadcastable shapes ending in 4 = pt, eta, phi, energy (GeV, radians).
    Differences are sender minus receiver; kT = min(pt) delta_r, z = min(pt) / sum of pt, m2 = (p_s + p_r)^2 in GeV^2.
    """
    pt_s, eta_s, phi_s, energy_s = sender.unbind(-1)
    pt_r, eta_r, phi_r, energy_r = receiver.unbind(-1)
    pt_s, pt_r = pt_s.clamp(0.0, LARGEST), pt_r.clamp(0.0, LARGEST)
    deta, dphi = delta_eta(eta_s, eta_r), delta_phi(phi_s, phi_r)
    dr = (deta * deta + dphi * dphi).clamp(EPSILON * EPSILON, LARGEST * LARGEST).sqrt()
    softer = torch.minimum(pt_s, pt_r)
    ln_kt = (softer * dr).clamp(min=EPSILON).log()
    ln_z = (softer / (pt_s + pt_r).clamp(min=EPSILON)).clamp(min=EPSILON).log()
    opening = _opening(deta, dphi)
    m2 = _mass_squared(_momentum(pt_s, eta_s), energy_s, _momentum(pt_r, eta_r), energy_r, pt_s * pt_r * opening)
    return torch.stack((deta, dphi, dr, ln_kt, ln_z, m2.clamp(min=EPSILON).log()), dim=-1)


def _opening(deta: Tensor, dphi: Tensor) -> Tensor:
    """cosh(deta) - cos(dphi) without the cancellation between two numbers near 1."""
    half = 0.5 * deta.clamp(-LARGEST_DELTA_ETA, LARGEST_DELTA_ETA)
    return 2.0 * (half.sinh().square() + (0.5 * dphi).sin().square())


def _momentum(pt: Tensor, eta: Tensor) -> Tensor:
    return (pt * eta.clamp(-LARGEST_DELTA_ETA, LARGEST_DELTA_ETA).cosh()).clamp(max=LARGEST)


def _mass_squared(p_s: Tensor, energy_s: Tensor, p_r: Tensor, energy_r: Tensor, transverse: Tensor) -> Tensor:
    """(p_s + p_r)^2 as a sum of terms that are all >= 0, so nothing cancels in float32.

    With k = E - |p| the own masses are k (E + |p|) and E_s E_r - p_s.p_r = p_s k_r + p_r k_s + k_s k_r + pt_s pt_r opening.
    """
    energy_s, energy_r = energy_s.clamp(max=LARGEST), energy_r.clamp(max=LARGEST)
    k_s, k_r = (energy_s - p_s).clamp(min=0.0), (energy_r - p_r).clamp(min=0.0)
    own = k_s * (energy_s + p_s) + k_r * (energy_r + p_r)
    return own + 2.0 * (p_s * k_r + p_r * k_s + k_s * k_r + transverse)
