"""The cost of pretraining, shared among the trainings that use it, and the number of trainings that repay it.

A cost is any amount that adds up: seconds, joules, floating-point operations. All costs of one comparison must be in
the same unit, on the same kind of machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from root_gnn.errors import InputError
from root_gnn.metrics.measured import Measured


@dataclass(frozen=True)
class BreakEven:
    """Trainings after which pretraining has cost less than training each from scratch, with the 68 % interval.

    `n` is None where a training from the pretrained network costs as much as one from scratch or more: it never pays.
    `high` is None where that can't be excluded at 68 %, and `low` too where `n` is None and the whole interval is.
    """

    n: float | None
    low: float | None
    high: float | None


def amortised(pretraining: float, each: Measured, *, n_training: int) -> Measured:
    """Cost of one of `n_training` trainings that share the pretraining: `each` and its part of `pretraining`."""
    if n_training < 1:
        raise InputError(f"A cost is shared among at least one training and got {n_training}.")
    return Measured(each.value + pretraining / n_training, each.error)


def break_even(pretraining: float, scratch: Measured, each: Measured, *, saved: Measured | None = None) -> BreakEven:
    """Number of trainings at which `pretraining + n * each` falls below `n * scratch`.

    The interval is that of the saving of one training, turned over: the number is large and its interval wide, or open,
    where the saving is not well above zero. The errors of `scratch` and `each` add in squares, unless `saved`, their
    difference paired by seed, is given. A missing error counts as zero. Raises InputError for a negative cost of
    pretraining.
    """
    if pretraining < 0.0:
        raise InputError(f"The cost of pretraining can't be negative and is {pretraining}.")
    if saved is None:
        saved = Measured(scratch.value - each.value, math.hypot(scratch.error or 0.0, each.error or 0.0))
    error = saved.error or 0.0
    n, low, high = (_over(pretraining, saved.value + shift) for shift in (0.0, error, -error))
    return BreakEven(n, low, high)


def _over(pretraining: float, saved: float) -> float | None:
    return pretraining / saved if saved > 0.0 else None
