"""Gamma matrices, spinors, propagators and polarisation vectors for many momenta at once.

Chiral (Weyl) basis, metric (+, -, -, -). Peskin and Schroeder 1995, "An Introduction to Quantum Field Theory", chapter
3. Momenta are `(energy, px, py, pz)` along the last axis, GeV.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.typing import Complexes, Floats

Momenta = NDArray[Any]  # real, or complex for polarisation vectors and currents

METRIC = np.array([1.0, -1.0, -1.0, -1.0])
_ONE, _NONE = np.eye(2), np.zeros((2, 2))
_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=np.complex128)
GAMMA: Complexes = np.array(
    [np.block([[_NONE, _ONE], [_ONE, _NONE]]), *(np.block([[_NONE, s], [-s, _NONE]]) for s in _PAULI)]
)
GAMMA5: Complexes = np.diag([-1.0, -1.0, 1.0, 1.0]).astype(np.complex128)
IDENTITY: Complexes = np.eye(4, dtype=np.complex128)
_LOWERED = (METRIC[:, None, None] * GAMMA).reshape(4, 16)


def dot(a: Momenta, b: Momenta) -> Momenta:
    """Minkowski products of `(..., 4)` and `(..., 4)`, without complex conjugation."""
    product: Momenta = (a * METRIC * b).sum(axis=-1)
    return product


def slash(p: Momenta) -> Complexes:
    """`p_mu gamma^mu` of `(..., 4)`: matrices `(..., 4, 4)`."""
    matrices: Complexes = (p @ _LOWERED).reshape(*p.shape, 4)
    return matrices


def propagator(p: Momenta, mass: float) -> Complexes:
    """`(pslash + m) / (p^2 - m^2)` of `(..., 4)`: matrices `(..., 4, 4)`."""
    matrices: Complexes = (slash(p) + mass * IDENTITY) / (dot(p, p) - mass * mass)[..., None, None]
    return matrices


def particle_spinors(p: Floats, mass: float) -> Complexes:
    """`u(p, s)` of on-shell momenta `(n, 4)` as columns `(n, 4, 2)`; summed over spins `u ubar` is `pslash + m`."""
    return _spinors(p, mass, np.concatenate((_ONE, _ONE)))


def antiparticle_spinors(p: Floats, mass: float) -> Complexes:
    """`v(p, s)` of on-shell momenta `(n, 4)` as columns `(n, 4, 2)`; summed over spins `v vbar` is `pslash - m`."""
    return _spinors(p, -mass, np.concatenate((_ONE, -_ONE)))


def _spinors(p: Floats, signed_mass: float, at_rest: Floats) -> Complexes:
    """Solutions of the Dirac equation: `pslash + m` applied to the spinors of a particle at rest, normalised."""
    columns: Complexes = (slash(p) + signed_mass * IDENTITY) @ at_rest
    return columns / np.sqrt(2.0 * (p[:, 0] + abs(signed_mass)))[:, None, None]


def bar(columns: Complexes) -> Complexes:
    """Dirac adjoints: columns `(..., 4, k)` to rows `(..., k, 4)`."""
    rows: Complexes = columns.conj().swapaxes(-1, -2) @ GAMMA[0]
    return rows


def gluon_polarisations(n: int) -> Complexes:
    """The two helicities of `n` gluons that come in along the beam: `(n, 2, 4)`."""
    vectors = np.array([[0, 1, 1j, 0], [0, 1, -1j, 0]]) / np.sqrt(2.0)
    return np.broadcast_to(vectors, (n, 2, 4))
