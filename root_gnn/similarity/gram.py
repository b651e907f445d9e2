"""CKA from n x n kernel matrices: any kernel, and the reference that the feature form is tested against.

Biased: both matrices doubly centred, H K H with H = 1 - 11^T / n (Kornblith et al. 2019, arXiv:1905.00414).
Debiased: zero diagonal and U-centred (Szekely & Rizzo 2014, arXiv:1310.2926), whose product sums to n (n - 3) HSIC_1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.errors import InputError
from root_gnn.similarity.representation import centred
from root_gnn.similarity.view import View
from root_gnn.typing import Floats

MOST_EVENTS = 5000
RBF_WIDTH = 0.4


class GramView(View):
    """A centred kernel matrix, with the size that its entries had before they were centred.

    Attributes:
        kernel: `(n_event, n_event)`.
        scale: sum of squares of the uncentred entries.
    """

    def __init__(self, kernel: Floats, scale: float) -> None:
        self.kernel, self.n_event, self.scale = kernel, len(kernel), scale

    @classmethod
    def linear(cls, matrix: Floats) -> GramView:
        """Makes the doubly centred K = X X^T of `matrix (n_event, dim)`."""
        _check_size(len(matrix))
        features = centred(matrix)
        kernel = doubly_centred(features @ features.T)
        return cls(kernel, float(np.trace(kernel)))

    @classmethod
    def rbf(cls, matrix: Floats) -> GramView:
        """Makes the U-centred exp(-d^2 / (2 sigma^2)) of `matrix (n_event, dim)`.

        sigma is 0.4 of the median distance between two events, or of the mean distance where more than half of the
        distances are zero.
        """
        _check_size(len(matrix))
        features = centred(matrix)
        squares = np.einsum("ij,ij->i", features, features)
        distances = np.maximum(squares[:, None] + squares - 2.0 * features @ features.T, 0.0)
        pairs = np.sqrt(distances[np.triu_indices(len(matrix), 1)])
        sigma = RBF_WIDTH * float(np.median(pairs) or np.mean(pairs) or 1.0)
        return cls(u_centred(np.exp(-distances / (2.0 * sigma**2))), float(len(matrix)))

    def permuted(self, order: NDArray[np.integer[Any]]) -> GramView:
        """The same representation with its events in another order."""
        return GramView(self.kernel[np.ix_(order, order)], self.scale)

    def dependence(self, other: GramView) -> float:
        """Sum of the products of the entries of the two centred kernels."""
        return float(np.vdot(self.kernel, other.kernel))

    def terms(self, other: GramView) -> Floats:
        """Returns what each event adds to the dependence, `(n_event,)`."""
        rows: Floats = np.einsum("ij,ij->i", self.kernel, other.kernel)
        return rows


def doubly_centred(kernel: Floats) -> Floats:
    """Returns H K H, whose rows and columns sum to zero, of `kernel (n, n)`."""
    rows = kernel.mean(axis=0)
    result: Floats = kernel - rows - rows[:, None] + rows.mean()
    return result


def u_centred(kernel: Floats) -> Floats:
    """Returns `kernel (n, n)` U-centred: zero diagonal, and rows and columns that sum to zero.

    The result is unbiased for the population.
    """
    n = len(kernel)
    off = kernel - np.diag(np.diag(kernel))
    rows = off.sum(axis=0)
    result: Floats = off - rows / (n - 2.0) - rows[:, None] / (n - 2.0) + rows.sum() / ((n - 1.0) * (n - 2.0))
    np.fill_diagonal(result, 0.0)
    return result


def _check_size(n_event: int) -> None:
    if n_event > MOST_EVENTS:
        raise InputError(
            f"CKA from kernel matrices takes {n_event} x {n_event} numbers for each layer; up to {MOST_EVENTS} events "
            "are allowed. Ask for fewer events, or for the estimator debiased_linear, which has no such limit."
        )
