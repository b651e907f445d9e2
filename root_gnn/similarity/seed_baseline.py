"""CKA between trainings that differ by their seed only: the baseline of every other CKA, which is below one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from root_gnn.errors import InputError
from root_gnn.similarity.cka import Cell, Estimator, LayerMatrix, layer_matrix
from root_gnn.typing import Floats


@dataclass(frozen=True)
class SeedBaseline:
    """CKA layer by layer between trainings that differ by their seed, `(n_layer, n_layer)` each.

    Entries are None where a layer is constant.

    Attributes:
        layers: their names.
        value: mean over the pairs of seeds, in both orders.
        error: mean 68 % error over events; the pairs share the events, so that it does not shrink with their number.
        spread: standard deviation between the pairs; None for one pair. Pairs share seeds: no error of the mean follows
            from it.
        null: mean level that 95 % of unrelated representations stay below.
        n_pair: pairs of seeds.
    """

    layers: tuple[str, ...]
    value: list[list[Cell]]
    error: list[list[Cell]]
    spread: list[list[Cell]]
    null: list[list[Cell]]
    n_pair: int


def seed_baseline(
    trainings: Sequence[Mapping[str, Any]],
    *,
    estimator: Estimator = "debiased_linear",
    n_permutation: int = 50,
    seed: int = 1,
) -> SeedBaseline:
    """Computes the baseline from the layers of two trainings or more.

    Args:
        trainings: layers `(n_event, dim)` by name of each training, with the same events and layers throughout.
        estimator: see `root_gnn.similarity.cka`.
        n_permutation: random orders of the events for the level of unrelated representations.
        seed: seed of these orders.

    Raises:
        InputError: for fewer than two trainings and for layers of other names, and as `layer_matrix` does.
    """
    if len(trainings) < 2:
        raise InputError(
            f"The floor of CKA takes two trainings or more that differ by their seed and got {len(trainings)}."
        )
    layers = tuple(trainings[0])
    other = next((tuple(one) for one in trainings if tuple(one) != layers), None)
    if other is not None:
        raise InputError(
            "Trainings that differ by their seed have the same layers, and these have "
            f"{', '.join(layers)} and {', '.join(other)}."
        )
    pairs = [
        layer_matrix(one, two, estimator=estimator, n_permutation=n_permutation, seed=seed)
        for one, two in combinations(trainings, 2)
    ]
    value, error, null = (np.stack([_both_ways(pair, part) for pair in pairs]) for part in ("value", "error", "null"))
    spread = np.std(value, axis=0, ddof=1) if len(pairs) > 1 else np.full(value.shape[1:], np.nan)
    return SeedBaseline(
        layers,
        _cells(value.mean(axis=0)),
        _cells(error.mean(axis=0)),
        _cells(spread),
        _cells(null.mean(axis=0)),
        n_pair=len(pairs),
    )


def _both_ways(pair: LayerMatrix, part: str) -> Floats:
    """Returns the mean of a matrix and its transpose, NaN for None: neither of two seeds is the first."""
    matrix = np.array(getattr(pair, part), dtype=np.float64)
    return (matrix + matrix.T) / 2.0


def _cells(matrix: Floats) -> list[list[Cell]]:
    return [[None if np.isnan(cell) else float(cell) for cell in row] for row in matrix]
