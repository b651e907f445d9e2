"""The interface of a centred representation, whatever its kernel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from root_gnn.typing import Floats


class View(ABC):
    """One representation, centred and ready to be compared with another one of the same kind and events."""

    n_event: int
    scale: float
    """Size of the representation; a dependence on itself below 1e-12 of its square is rounding."""

    @abstractmethod
    def permuted(self, order: NDArray[np.integer[Any]]) -> Self:
        """Returns the same representation with its events in another order."""

    @abstractmethod
    def dependence(self, other: Self) -> float:
        """Returns D(X, Y): the sum over pairs of events of the product of the two centred kernels."""

    @abstractmethod
    def terms(self, other: Self) -> Floats:
        """Returns what each event adds to D(X, Y), `(n_event,)`."""
