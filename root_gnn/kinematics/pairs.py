"""What a network is told about two objects: angles between them and the scales of a branching.

The logarithms of kT, z and m^2 are the pair features of Qu, Li, Qian 2022 (arXiv:2202.03772).
"""

from __future__ import annotations

from collections.abc import Sequence

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
    return pair_features_of(with_excess(sender), with_excess(receiver))


def with_excess(kinematics: Tensor) -> Tensor:
    """pt, eta, phi, and energy of `(..., 4)`, cut at `LARGEST`; then |p| and E - |p| >= 0: `(..., 6)`.

    The last is a small difference of two large numbers, which single precision would leave to the last bit of the hyperbolic cosine.
    """
    pt, eta, phi, energy = kinematics.double().unbind(-1)
    pt, energy = pt.clamp(0.0, LARGEST), energy.clamp(max=LARGEST)
    momentum = (pt * eta.clamp(-LARGEST_DELTA_ETA, LARGEST_DELTA_ETA).cosh()).clamp(max=LARGEST)
    return torch.stack((pt, eta, phi, energy, momentum, (energy - momentum).clamp(min=0.0)), dim=-1).to(
        kinematics.dtype
    )


def pair_features_of(sender: Tensor, receiver: Tensor, names: Sequence[str] = PAIR_FEATURES) -> Tensor:
    """`pair_features` of rows `(..., n_edge, 6)` that `with_excess` made, once for each object instead of once for each pair.

    Only the features `names` are computed: `(..., n_edge, n_name)`.
    """
    pt_s, eta_s, phi_s, energy_s, p_s, k_s = sender.unbind(-1)
    pt_r, eta_r, phi_r, energy_r, p_r, k_r = receiver.unbind(-1)
    deta, dphi = delta_eta(eta_s, eta_r), delta_phi(phi_s, phi_r)
    dr = (deta * deta + dphi * dphi).clamp(EPSILON * EPSILON, LARGEST * LARGEST).sqrt()
    softer = torch.minimum(pt_s, pt_r)

    def m2() -> Tensor:
        # (p_s + p_r)^2 as a sum of terms that are all >= 0, so nothing cancels: with k = E - |p| the own masses are k (E + |p|) and
        # E_s E_r - p_s.p_r = p_s k_r + p_r k_s + k_s k_r + pt_s pt_r opening
        own = k_s * (energy_s + p_s) + k_r * (energy_r + p_r)
        return own + 2.0 * (p_s * k_r + p_r * k_s + k_s * k_r + pt_s * pt_r * _opening(deta, dphi))

    known = {
        "delta_eta": lambda: deta,
        "delta_phi": lambda: dphi,
        "delta_r": lambda: dr,
        "ln_kt": lambda: (softer * dr).clamp(min=EPSILON).log(),
        "ln_z": lambda: (softer / (pt_s + pt_r).clamp(min=EPSILON)).clamp(min=EPSILON).log(),
        "ln_m2": lambda: m2().clamp(min=EPSILON).log(),
    }
    return torch.stack([known[name]() for name in names], dim=-1)


def _opening(deta: Tensor, dphi: Tensor) -> Tensor:
    """cosh(deta) - cos(dphi) without the cancellation between two numbers near 1."""
    half = 0.5 * deta.clamp(-LARGEST_DELTA_ETA, LARGEST_DELTA_ETA)
    return 2.0 * (half.sinh().square() + (0.5 * dphi).sin().square())
