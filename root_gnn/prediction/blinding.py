"""Blinding: scores of real events above a threshold are not written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from root_gnn.errors import InputError, suggest


@dataclass(frozen=True)
class Blinding:
    """Events whose score of `output` (a column of the scores) is above `threshold` are hidden."""

    output: int
    threshold: float

    @classmethod
    def parse(cls, text: str, outputs: Sequence[str]) -> Blinding:
        """Parses `CLASS>0.8`; raises InputError for an unknown class or a threshold outside [0, 1]."""
        name, sign, number = (part.strip() for part in text.partition(">"))
        if name not in outputs:
            raise InputError(
                f"--blind {text}: CLASS>THRESHOLD was expected; "
                f"the network has no output {name!r}{suggest(name, outputs)}"
            )
        try:
            threshold = float(number)
        except ValueError:
            threshold = np.nan
        if not sign or not 0 <= threshold <= 1:
            raise InputError(
                f"--blind {text}: CLASS>THRESHOLD was expected, with a threshold between 0 and 1, "
                f"as in --blind '{name}>0.8'"
            )
        return cls(list(outputs).index(name), threshold)

    def hides(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Returns which of the events with `scores (n_event, n_output)` are hidden, `(n_event,)`."""
        hidden: NDArray[np.bool_] = scores[:, self.output] > self.threshold
        return hidden
