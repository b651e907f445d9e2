"""The adapted grid: unbiased, and better than a uniform one."""

from __future__ import annotations

import numpy as np

from root_gnn.simulation.matrix_elements.importance import Grid


def _peaks(x: np.ndarray) -> np.ndarray:
    """Integral over the unit square: (1 - exp(-20)) / 20 times 1/3."""
    return np.exp(-20 * x[:, 0]) * x[:, 1] ** 2


def test_integrals_stay_and_weights_level_out() -> None:
    rng, grid = np.random.default_rng(2), Grid(2)
    spread = []
    for _ in range(2):
        x, volume = grid.draw(20_000, rng)
        weight = _peaks(x) * volume
        assert abs(weight.mean() - 1 / 60) < 4 * weight.std() / np.sqrt(20_000)
        assert x.min() >= 0 and x.max() <= 1
        spread.append(weight.std() / weight.mean())
        grid.adapt(_peaks, 5_000, rng)
    assert spread[1] < 0.3 * spread[0]
