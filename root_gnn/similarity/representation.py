"""Checks representations from outside, numpy or torch, and makes float64 arrays of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from root_gnn.errors import InputError
from root_gnn.typing import Floats

CONSTANT_BELOW = 1e-12


def as_matrix(values: Any, name: str) -> Floats:
    """Returns `values (n_event, dim)`, a numpy array or a torch tensor on any device, in float64.

    Raises:
        InputError: for another shape and for entries that are not finite.
    """
    host = values.detach().cpu().numpy() if hasattr(values, "detach") else values
    matrix = np.asarray(host, dtype=np.float64)
    if matrix.ndim != 2:
        raise InputError(
            f"Expected a representation of shape (n_event, dim) and got shape {matrix.shape} for {name}. "
            "Reshape it so that each event is one row."
        )
    if not np.all(np.isfinite(matrix)):
        row = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
        raise InputError(
            f"The representation {name} of event {row} has entries that are not finite; did its training diverge?"
        )
    return matrix


def centred(matrix: Floats) -> Floats:
    """Returns `matrix (n_event, dim)` minus its mean over events.

    A feature that is constant up to rounding becomes exactly zero.
    """
    mean = np.ones(len(matrix)) @ matrix / max(len(matrix), 1)
    values: Floats = matrix - mean
    square = np.einsum("ij,ij->j", values, values) / max(len(matrix), 1)
    rounding = max(CONSTANT_BELOW, len(matrix) * np.finfo(np.float64).eps)  # of the mean
    values[:, np.sqrt(square) <= rounding * np.abs(mean)] = 0.0
    return values


def check_rows(n_x: int, n_y: int) -> None:
    """Raises InputError unless both representations have the same events, and at least four."""
    if n_x != n_y:
        raise InputError(
            f"CKA compares two representations of the same events, row by row, and got {n_x} and {n_y} rows."
        )
    if n_x < 4:
        raise InputError(f"CKA needs at least four events and got {n_x}; its debiased form divides by n (n - 3).")
