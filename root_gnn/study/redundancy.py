"""How redundant the features of a representation are: Pearson's correlation of each pair.

Correlated features stand next to each other in the matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from root_gnn.metrics.correlation import correlation
from root_gnn.typing import Floats


@dataclass(frozen=True)
class Redundancy:
    """Correlations of the features of one representation.

    Attributes:
        matrix: `(n_varying, n_varying)`, of the features that vary.
        n_feature: how many there are, constant ones included.
        strength: mean absolute correlation of two features; None where fewer than two vary.
        chance: what it is on average for independent Gaussian features of as many events.
    """

    matrix: Floats
    n_feature: int
    strength: float | None
    chance: float


def redundancy(z: Floats) -> Redundancy:
    """Of the columns of `z (n_event, dim)`."""
    found = correlation(z, z)
    matrix = np.empty((0, 0)) if found is None else found.value
    varies = np.isfinite(np.diag(matrix))
    matrix = np.clip(matrix[np.ix_(varies, varies)], -1.0, 1.0)
    chance = math.sqrt(2.0 / (math.pi * max(len(z) - 1, 1)))
    if len(matrix) < 2:
        return Redundancy(matrix, z.shape[1], None, chance)
    strength = float(np.mean(np.abs(matrix[np.triu_indices(len(matrix), 1)])))
    order = _order(matrix)
    return Redundancy(matrix[np.ix_(order, order)], z.shape[1], strength, chance)


def _order(matrix: Floats) -> NDArray[np.int64]:
    """Features as the leaves of a tree that joins the most correlated first, whatever the sign."""
    distance = 1.0 - np.abs(matrix)
    np.fill_diagonal(distance, 0.0)
    return np.asarray(leaves_list(linkage(squareform(distance, checks=False), method="average")), dtype=np.int64)
