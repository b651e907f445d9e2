"""Azimuth and pseudorapidity: differences, wrapping, distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from root_gnn.kinematics.namespace import namespace

if TYPE_CHECKING:
    from root_gnn.kinematics.namespace import Array


def wrap_phi(x: Array) -> Array:
    """The same angle in [-pi, pi] (radians, any shape); angles already there come back bit for bit."""
    return x - 2.0 * math.pi * (x / (2.0 * math.pi)).round()


def delta_phi(a: Array, b: Array) -> Array:
    """`a - b` wrapped into [-pi, pi], radians."""
    return wrap_phi(a - b)


def delta_eta(a: Array, b: Array) -> Array:
    """`a - b`; here so that the sign convention (first minus second) is written once."""
    return a - b


def delta_r(eta_a: Array, phi_a: Array, eta_b: Array, phi_b: Array) -> Array:
    """Distance in the (eta, phi) plane, sqrt(delta_eta^2 + delta_phi^2)."""
    distance: Array = namespace(eta_a).hypot(delta_eta(eta_a, eta_b), delta_phi(phi_a, phi_b))
    return distance
