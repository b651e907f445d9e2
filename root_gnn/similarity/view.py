"""What CKA needs of a representation, whatever the kernel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from root_gnn.typing import Floats


class View(ABC):
    """One representation, centred and ready to be compared with another of the same kind and events."""

    n_event: int
    scale: float
    """Size of the representation; a dependence on itself below 1e-12 of its square is rounding."""

    @abstractmethod
    def permuted(self, order: NDArray[np.integer[Any]]) -> Self:
        """The same representation with its events in another order."""

    @abstractmethod
    def dependence(self, other: Self) -> float:
        """D(X, Y): sum over pairs of events of the product of the two centred kernels."""

    @abstractmethod
    def terms(self, other: Self) -> Floats:
        """What each event adds to D(X, Y), `(n_event,)`."""
