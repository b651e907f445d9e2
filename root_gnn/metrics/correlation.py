"""Pearson correlation of every column with every other: input features with scores, or features among themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.errors import InputError
from root_gnn.metrics.inputs import checked_columns, checked_weights
from root_gnn.typing import Floats


@dataclass(frozen=True)
class Correlation:
    """Correlation coefficients `value (n_column_a, n_column_b)` and their 68 % errors.

    NaN stands for a constant column.
    """

    value: Floats
    error: Floats


def correlation(a: ArrayLike, b: ArrayLike, weights: ArrayLike | None = None) -> Correlation | None:
    """Pearson correlation of the columns of `a (n_event, n_column_a)` and `b (n_event, n_column_b)`.

    One column may be `(n_event,)`.

    With standardised columns u, v an event pulls on r by w (u v - r (u^2 + v^2) / 2) / sum w, and the error is the root
    of the summed squares of these (infinitesimal jackknife, Efron 1982): no shape of the distribution is assumed.
    Negative weights count with their sign; a column whose weighted variance is then zero or less counts as constant.
    None where the weights sum to zero or less. Raises InputError for arrays that don't fit together or are not finite.
    """
    first, second = checked_columns("a", a), checked_columns("b", b)
    if len(first) != len(second):
        raise InputError(
            f"A correlation takes the same events in both arrays and got {len(first)} and {len(second)} rows."
        )
    signed = checked_weights(weights, len(first))
    total = float(np.sum(signed))
    if total <= 0.0:
        return None
    share = signed / total
    u, v = _standardised(first, share), _standardised(second, share)
    value = u.T @ (share[:, None] * v)
    squares = share**2
    uu, vv = u**2, v**2
    cross = uu.T @ (squares[:, None] * vv)
    by_u = (u * uu).T @ (squares[:, None] * v) + u.T @ (squares[:, None] * v * vv)
    fourth = (squares @ uu**2)[:, None] + squares @ vv**2 + 2.0 * cross
    variance = cross - value * by_u + 0.25 * value**2 * fourth
    return Correlation(value, np.sqrt(np.maximum(variance, 0.0)))


def _standardised(values: Floats, share: Floats) -> Floats:
    """Columns of weighted mean zero and variance one; NaN where there is no variance."""
    centred = values - share @ values
    variance = share @ centred**2
    constant = variance <= 1e-24 * np.max(np.abs(values), axis=0, initial=0.0) ** 2
    result: Floats = centred / np.sqrt(np.where(constant, np.nan, variance))
    return result
