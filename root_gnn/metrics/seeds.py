"""The mean of one number for each seed, its spread between seeds, and its error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from root_gnn.metrics.bootstrap import ONE_SIGMA


@dataclass(frozen=True)
class OverSeeds:
    """Mean over `n_defined` of `n_seed` seeds.

    `spread` is the standard deviation of one seed, `error` the 68 % error of the mean.
    """

    mean: float
    error: float | None
    spread: float | None
    n_defined: int
    n_seed: int


def over_seeds(values: Sequence[float | None]) -> OverSeeds | None:
    """The mean of `values (n_seed,)` of figures that have no events (times, epochs, costs).

    None stands for a seed where the figure is not defined.

    The error is spread / sqrt(n) times Student's factor for n - 1 degrees of freedom (1.84 for two seeds, 1.32 for
    three), since the spread is estimated from few; error and spread are None for one seed. None where no seed has a
    value. Where `n_defined` is less than `n_seed` the mean is of those that got there, and says nothing of the others:
    show both numbers.
    """
    found = np.array([value for value in values if value is not None], dtype=np.float64)
    n = len(found)
    if n == 0:
        return None
    if n == 1:
        return OverSeeds(float(found[0]), None, None, 1, len(values))
    spread = float(np.std(found, ddof=1))
    error = spread / math.sqrt(n) * float(stdtrit(n - 1, ONE_SIGMA))
    return OverSeeds(float(np.mean(found)), error, spread, n, len(values))
