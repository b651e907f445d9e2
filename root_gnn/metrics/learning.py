"""How fast and how far a training went, from its learning curve: one value of a figure after each epoch.

A curve is what a run's history holds of a tag, rows (epoch from 0, step, value). The figure is one that rises (an AUC)
unless `falling` says that less is better (a loss). Nothing here takes the best epoch for the result, except where the
question is about it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from root_gnn.errors import InputError
from root_gnn.typing import AnyIntegers, Floats

IMMEDIATE = 5


def immediate(rows: ArrayLike, *, epochs: int = IMMEDIATE) -> float | None:
    """The figure after `epochs` epochs, from `rows (n_row, 3)`; None where the training ended before.

    Raises InputError for rows of another shape, as all functions here do.
    """
    curve = _curve(rows)
    found = np.flatnonzero(curve[:, 0] == epochs - 1)
    return float(curve[found[-1], 2]) if len(found) else None


def ultimate(rows: ArrayLike, *, last: int = 1) -> float | None:
    """The mean figure of the `last` epochs of `rows (n_row, 3)`; None where there are fewer.

    No epoch is chosen.
    """
    curve = _curve(rows)
    return float(np.mean(curve[-last:, 2])) if 0 < last <= len(curve) else None


def epochs_to_final(rows: ArrayLike, *, within: float = 0.01, last: int = 1) -> int | None:
    """Epochs after which the figure stays within a share of its ultimate value to the end, from `rows (n_row, 3)`.

    A curve that comes near and leaves again is not there yet. Reaching it only in the last epoch gives the number of
    all epochs, which says that more epochs were needed to know. None where `ultimate` is None.
    """
    curve, final = _curve(rows), ultimate(rows, last=last)
    if final is None:
        return None
    outside = np.flatnonzero(np.abs(curve[:, 2] - final) > within * abs(final))
    first = int(outside[-1]) + 1 if len(outside) else 0
    return int(curve[min(first, len(curve) - 1), 0]) + 1


def best(rows: ArrayLike, *, falling: bool = False) -> float | None:
    """The best value of `rows (n_row, 3)`: a level for others to reach, biased as a result; None without rows."""
    values = _curve(rows)[:, 2]
    return None if len(values) == 0 else float(values.min() if falling else values.max())


def cost_to_reach(rows: ArrayLike, costs: ArrayLike, level: float, *, falling: bool = False) -> float | None:
    """The cost spent when the figure first reached `level`, at the end of that epoch; None where it never did.

    `rows (n_row, 3)` and `costs (n_row,)`, what had been spent when each was written: seconds (`seconds_at`), steps,
    joules. The time to 99.9 % of the best of a training from scratch has `level = 0.999 * best(rows of that training)`.
    """
    curve, spent = _curve(rows), np.asarray(costs, dtype=np.float64)
    if spent.shape != (len(curve),):
        raise InputError(f"A learning curve of {len(curve)} rows takes one cost for each and got shape {spent.shape}.")
    reached = curve[:, 2] <= level if falling else curve[:, 2] >= level
    return float(spent[np.argmax(reached)]) if np.any(reached) else None


def seconds_at(rows: ArrayLike, clock: ArrayLike) -> Floats:
    """Seconds of training when each of `rows (n_row, 3)` was written, `(n_row,)`.

    The rows `clock (n_tick, 3)` are those of a tag that counts seconds.

    A row has the time of the last tick at or before its step; NaN where there is none.
    """
    curve, ticks = _curve(rows), _curve(clock)
    if len(ticks) == 0:
        return np.full(len(curve), np.nan)
    last: AnyIntegers = np.searchsorted(ticks[:, 1], curve[:, 1], side="right") - 1
    return np.where(last >= 0, ticks[np.maximum(last, 0), 2], np.nan)


def _curve(rows: ArrayLike) -> Floats:
    curve = np.asarray(rows, dtype=np.float64)
    if curve.size == 0:
        return np.empty((0, 3))
    if curve.ndim != 2 or curve.shape[1] != 3:
        raise InputError(
            f"A learning curve has rows (epoch, step, value), shape (n_row, 3), and got shape {curve.shape}."
        )
    return curve
