"""Linear CKA of any number of events in the memory of one chunk.

Every chunk is summed about its own mean in float64; then it and the sums so far are shifted to the joint mean, exactly.
So features far from zero, or sorted files, lose no digits, and the order of the chunks does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from root_gnn.errors import InputError
from root_gnn.similarity.linear import debiased
from root_gnn.similarity.representation import as_matrix, check_rows
from root_gnn.typing import Floats


@dataclass(frozen=True)
class StreamingMoments:
    """Sums over `n` events of products of a = x - mean_x and b = y - mean_y, s = |a|^2 and t = |b|^2."""

    n: int
    mean_x: Floats
    mean_y: Floats
    ab: Floats
    sb: Floats
    ta: Floats
    s: float
    t: float
    st: float

    @classmethod
    def of(cls, x: Floats, y: Floats) -> StreamingMoments:
        """Sums over the rows of `x (n_event, p)` and `y (n_event, q)` about their means."""
        mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
        a, b = x - mean_x, y - mean_y
        s, t = np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)
        return cls(len(x), mean_x, mean_y, a.T @ b, s @ b, t @ a, float(s.sum()), float(t.sum()), float(s @ t))

    def about(self, mean_x: Floats, mean_y: Floats) -> StreamingMoments:
        """The same sums about other means, with a + d and b + e in place of a and b."""
        d, e = self.mean_x - mean_x, self.mean_y - mean_y
        dd, ee, n = float(d @ d), float(e @ e), self.n
        return StreamingMoments(
            n,
            mean_x,
            mean_y,
            ab=self.ab + n * np.outer(d, e),
            sb=self.sb + self.s * e + 2.0 * d @ self.ab + n * dd * e,
            ta=self.ta + self.t * d + 2.0 * self.ab @ e + n * ee * d,
            s=self.s + n * dd,
            t=self.t + n * ee,
            st=self.st
            + 2.0 * float(e @ self.sb)
            + 2.0 * float(d @ self.ta)
            + 4.0 * float(d @ self.ab @ e)
            + ee * self.s
            + dd * self.t
            + n * dd * ee,
        )

    def plus(self, other: StreamingMoments) -> StreamingMoments:
        """The sums over the events of both."""
        n = self.n + other.n
        mean_x = self.mean_x + (other.mean_x - self.mean_x) * (other.n / n)
        mean_y = self.mean_y + (other.mean_y - self.mean_y) * (other.n / n)
        one, two = self.about(mean_x, mean_y), other.about(mean_x, mean_y)
        return StreamingMoments(
            n,
            mean_x,
            mean_y,
            ab=one.ab + two.ab,
            sb=one.sb + two.sb,
            ta=one.ta + two.ta,
            s=one.s + two.s,
            t=one.t + two.t,
            st=one.st + two.st,
        )

    def dependence(self, *, is_debiased: bool) -> float:
        """|X^T Y|^2 of the centred features, or its debiased form."""
        biased = float(np.sum(self.ab**2))
        return debiased(biased, self.st, self.s, self.t, self.n) if is_debiased else biased


class LinearCKA:
    """Linear CKA of two representations that come in chunks: `update` with each chunk, then `value`.

    Equal to `cka` on all events at once up to rounding. Memory is that of one chunk and a few (p, q) matrices.
    """

    def __init__(self, estimator: Literal["debiased_linear", "biased_linear"] = "debiased_linear") -> None:
        if estimator not in ("debiased_linear", "biased_linear"):
            raise InputError(f"Only debiased_linear and biased_linear CKA can be streamed, not {estimator}.")
        self._is_debiased = estimator == "debiased_linear"
        self._moments: tuple[StreamingMoments, StreamingMoments, StreamingMoments] | None = None

    @property
    def n_event(self) -> int:
        """Events seen so far."""
        return 0 if self._moments is None else self._moments[0].n

    def update(self, x: Any, y: Any) -> None:
        """Adds a chunk: `x (n_event, p)` and `y (n_event, q)`, numpy or torch, of the same events.

        Raises InputError for shapes that don't fit together or to the chunks before, and for entries that are not
        finite.
        """
        x, y = as_matrix(x, "x"), as_matrix(y, "y")
        if len(x) != len(y):
            raise InputError(f"A chunk of CKA expects the same events in x and y and got {len(x)} and {len(y)} rows.")
        if len(x) == 0:
            return
        chunk = StreamingMoments.of(x, y), StreamingMoments.of(x, x), StreamingMoments.of(y, y)
        if self._moments is None:
            self._moments = chunk
            return
        before = self._moments[0].ab.shape
        if before != chunk[0].ab.shape:
            raise InputError(f"Chunks of CKA must keep their widths: {before} before, {chunk[0].ab.shape} now.")
        xy, xx, yy = self._moments
        self._moments = xy.plus(chunk[0]), xx.plus(chunk[1]), yy.plus(chunk[2])

    def value(self) -> float:
        """CKA of all events so far. Raises InputError for fewer than four, and where a representation is constant."""
        check_rows(self.n_event, self.n_event)
        assert self._moments is not None  # four events have been seen
        xy, xx, yy = (one.dependence(is_debiased=self._is_debiased) for one in self._moments)
        return xy / float(np.sqrt(self._spread(xx, 1) * self._spread(yy, 2)))

    def _spread(self, dependence: float, which: int) -> float:
        assert self._moments is not None
        moments = self._moments[which]
        rounding = (1e-12 * float(np.abs(moments.mean_x).max(initial=0.0))) ** 2 * moments.n
        if moments.s <= rounding or dependence <= 1e-12 * moments.s**2:
            raise InputError(
                f"The representation {'xy'[which - 1]} is the same for (nearly) all {moments.n} events; CKA is not "
                "defined."
            )
        return dependence
