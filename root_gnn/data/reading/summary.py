"""Summary statistics of one column, updated piece by piece while a file is read."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from root_gnn.typing import Numbers

N_SAMPLE = 2048  # values sampled from a piece for its medians
N_PART = 8  # sections of a piece with a median each, which show a change of unit inside a file
SMALLEST_PART = 64


@dataclass
class Summary:
    """Number, range and sum of the values, and the medians of consecutive sections of the file."""

    n: int = 0
    low: float = math.inf
    high: float = -math.inf
    total: float = 0.0
    medians: list[float] = field(default_factory=list)

    def add(self, values: Numbers) -> None:
        """Adds the next values, `(n,)`."""
        if not values.size:
            return
        self.n += values.size
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        self.total += float(values.sum(dtype=np.float64))
        self.medians += medians(values)

    def as_mapping(self) -> dict[str, float | int | None]:
        """Plain numbers by name.

        `median` is the median of the sections' medians, whose range is `median_min, median_max`.
        """
        if not self.n:
            return {"n": 0}
        statistics = {
            "min": self.low,
            "max": self.high,
            "mean": self.total / self.n,
            "median": float(np.median(self.medians)),
            "median_min": min(self.medians),
            "median_max": max(self.medians),
        }
        return {"n": self.n, **{name: value if math.isfinite(value) else None for name, value in statistics.items()}}


def medians(values: Numbers) -> list[float]:
    """Medians of up to `N_PART` consecutive sections of evenly spaced samples of `values (n,)`."""
    sample = values[:: -(-values.size // N_SAMPLE)]
    n_part = min(max(sample.size // SMALLEST_PART, 1), N_PART)
    size = sample.size // n_part
    parts = np.partition(sample[: n_part * size].reshape(n_part, size), size // 2, axis=1)[:, size // 2]
    return [float(median) for median in parts]
