"""Importance sampling, one axis at a time (VEGAS: Lepage 1978, J. Comput. Phys. 27, 192)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from root_gnn.typing import Floats

_N_BIN, _DAMPING, _N_ROUND = 32, 0.7, 5


class Grid:
    """Bins of equal probability on each of `n_axis` axes from 0 to 1; uniform until adapted."""

    def __init__(self, n_axis: int) -> None:
        self._edges: Floats = np.tile(np.linspace(0.0, 1.0, _N_BIN + 1), (n_axis, 1))

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """`n` points `(n, n_axis)` between 0 and 1, and the inverse of their density `(n,)`."""
        position = rng.random((n, len(self._edges))) * _N_BIN
        low = position.astype(np.int64)
        axis = np.arange(len(self._edges))
        start, width = self._edges[axis, low], np.diff(self._edges)[axis, low]
        return start + (position - low) * width, (width * _N_BIN).prod(axis=1)

    def adapt(self, integrand: Callable[[Floats], Floats], n: int, rng: np.random.Generator) -> None:
        """Adapts the bins to the positive `integrand` of points `(n, n_axis)` in a few rounds of `n` points."""
        for _ in range(_N_ROUND):
            points, volume = self.draw(n, rng)
            squared = (integrand(points) * volume) ** 2
            self._edges = np.stack(
                [_adapted(edges, x, squared) for edges, x in zip(self._edges, points.T, strict=True)]
            )


def _adapted(edges: Floats, x: Floats, squared: Floats) -> Floats:
    """Bins of equal damped share of the squared weights."""
    total, _ = np.histogram(x, edges, weights=squared)
    smooth = np.convolve(np.pad(total, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    importance = (smooth / smooth.sum()) ** (0.5 * _DAMPING) + 1e-3 / _N_BIN
    reached = np.concatenate(([0.0], importance.cumsum()))
    adapted: Floats = np.interp(np.linspace(0.0, reached[-1], _N_BIN + 1), reached, edges)
    return adapted
