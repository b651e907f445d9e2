"""Keeping the sensitive events of real data unseen: scores above a threshold are not written."""

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
        """From `CLASS>0.8`; raises InputError where that is no class of the network or no number between 0 and 1."""
        name, sign, number = (part.strip() for part in text.partition(">"))
        if name not in outputs:
            raise InputError(
                f"--blind {text}: CLASS>THRESHOLD was expected; the network has no output {name!r}{suggest(name, outputs)}"
            )
        try:
            threshold = float(number)
        except ValueError:
            threshold = np.nan
        if not sign or not 0 <= threshold <= 1:
            raise InputError(
                f"--blind {text}: CLASS>THRESHOLD was expected, with a threshold between 0 and 1, as in --blind '{name}>0.8'"
            )
        return cls(list(outputs).index(name), threshold)

    def hides(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of the events with `scores (n_event, n_output)` are hidden, `(n_event,)`."""
        hidden: NDArray[np.bool_] = scores[:, self.output] > self.threshold
        return hidden
