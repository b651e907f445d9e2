"""Four-momenta in cylindrical (pt, eta, phi) and Cartesian (px, py, pz, energy) form, GeV and radians."""

from __future__ import annotations

from typing import TYPE_CHECKING

from root_gnn.kinematics.namespace import namespace

if TYPE_CHECKING:
    from root_gnn.kinematics.namespace import Array

SMALLEST_PT = 1e-12  # GeV; along the beam eta is cut off at about +-30 for GeV momenta instead of being infinite


def to_cartesian(pt: Array, eta: Array, phi: Array) -> tuple[Array, Array, Array]:
    """`px, py, pz` of momenta given by `pt, eta, phi`, all of one shape."""
    xp = namespace(pt)
    return pt * xp.cos(phi), pt * xp.sin(phi), pt * xp.sinh(eta)


def to_cylindrical(px: Array, py: Array, pz: Array) -> tuple[Array, Array, Array]:
    """`pt, eta, phi` of Cartesian momenta, all of one shape; a momentum along the beam gets a large finite eta."""
    xp = namespace(px)
    pt = xp.hypot(px, py)
    return pt, xp.arcsinh(pz / pt.clip(min=SMALLEST_PT)), xp.arctan2(py, px)


def mass(px: Array, py: Array, pz: Array, energy: Array) -> Array:
    """Invariant mass; 0 where rounding makes the square negative."""
    squared = (energy - pz) * (energy + pz) - px * px - py * py
    root: Array = namespace(px).sqrt(squared.clip(min=0.0))
    return root


def energy_of(pt: Array, eta: Array, mass: Array) -> Array:
    """Energy of an object of the given pt, eta and mass."""
    xp = namespace(pt)
    energy: Array = xp.hypot(pt * xp.cosh(eta), mass)
    return energy
