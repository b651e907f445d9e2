"""Linear CKA from products of features: O(n p q) time and O(p q) memory, where kernel matrices take O(n^2).

With centred rows a_i and b_i, s_i = |a_i|^2, t_i = |b_i|^2, and S and T their sums, the biased dependence of X and Y is
|X^T Y|^2 (Frobenius norm). The unbiased one (Song et al. 2012, JMLR 13, 1393, for the kernel a_i . a_j) is

    D = |X^T Y|^2 - n / (n - 2) sum s_i t_i + S T / ((n - 1) (n - 2)),

which is n (n - 3) HSIC_1.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.kernels.cross import cross
from root_gnn.similarity.representation import centred
from root_gnn.similarity.view import View
from root_gnn.typing import Floats


def debiased(biased: float, squares_product: float, square_x: float, square_y: float, n: int) -> float:
    """Returns the unbiased D of the module's docstring.

    Args:
        biased: |X^T Y|^2.
        squares_product: sum of s_i t_i.
        square_x: S.
        square_y: T.
        n: events.
    """
    return biased - n / (n - 2.0) * squares_product + square_x * square_y / ((n - 1.0) * (n - 2.0))


class LinearView(View):
    """Centred features, whose dependence D is debiased or not.

    Attributes:
        features: `(n_event, dim)`.
        scale: sum of the squares of the uncentred features.
    """

    def __init__(self, features: Floats, scale: float, *, is_debiased: bool) -> None:
        self.features, self.scale, self.is_debiased = features, scale, is_debiased
        self.n_event = len(features)

    @classmethod
    def of(cls, matrix: Floats, *, is_debiased: bool) -> LinearView:
        """Makes the view of `matrix (n_event, dim)`."""
        features = centred(matrix)
        return cls(features, float(np.vdot(features, features)), is_debiased=is_debiased)

    @cached_property
    def squares(self) -> Floats:
        """Squared norms of the rows, `(n_event,)`."""
        norms: Floats = np.einsum("ij,ij->i", self.features, self.features)
        return norms

    def permuted(self, order: NDArray[np.integer[Any]]) -> LinearView:
        """The same representation with its events in another order."""
        return LinearView(self.features[order], self.scale, is_debiased=self.is_debiased)

    def dependence(self, other: LinearView) -> float:
        """Returns |X^T Y|^2, or D where debiased."""
        product = cross(self.features, other.features)
        biased = float(np.vdot(product, product))
        if not self.is_debiased:
            return biased
        return debiased(biased, float(self.squares @ other.squares), self.scale, other.scale, self.n_event)

    def terms(self, other: LinearView) -> Floats:
        """Returns what each event adds to the dependence, `(n_event,)`.

        These are row sums of the product of the two centred kernels.
        """
        x, y, s, t = self.features, other.features, self.squares, other.squares
        full: Floats = np.einsum("ij,ij->i", x @ (x.T @ y), y)
        if not self.is_debiased:
            return full
        n, s_sum, t_sum, st = self.n_event, self.scale, other.scale, s * t
        off = n - 2.0
        kernel: Floats = full - st + (x @ (t @ x) - 2.0 * st) / off + s * t_sum / ((n - 1.0) * off)
        rows: Floats = (
            y @ (s @ y) - st + (t * (s_sum - s) + st.sum() - st) / off - t_sum * (s_sum - s) / ((n - 1.0) * off)
        )
        return kernel + rows / off
