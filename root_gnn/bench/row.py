"""What a case finds out: one row for each comparison, as JSON and as a line of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from root_gnn.bench.timing import Spread


@dataclass(frozen=True, kw_only=True)
class Row:
    """One of our forms beside one reference, or a figure that stands alone.

    Attributes:
        what: the setting in words (`training, hidden 64`), the same in every run.
        ours, reference: names of the two; without a reference the row is a figure.
        ratio, low, high, quartiles: how many times better ours is; of a figure its own value. Larger ratios are better.
        target: the smallest ratio asked for; None where none is.
        between: what a figure is asked to lie in; None where nothing is asked.
        unit: of `rates` and of a figure.
        rates: by name, median over the rounds.
        limit_fraction: ours over what the matrix multiplications alone would take; `limit_target` is asked for.
        max_difference: largest difference of the outputs of the two, asserted before anything is timed; None where they are random.
        note: what a reader has to know beside.
    """

    what: str
    ours: str = "root_gnn"
    reference: str | None = None
    ratio: float
    low: float
    high: float
    quartiles: tuple[float, float]
    target: float | None = None
    between: tuple[float, float] | None = None
    unit: str = ""
    rates: Mapping[str, float]
    limit_fraction: float | None = None
    limit_target: float | None = None
    max_difference: float | None = None
    note: str = ""

    @classmethod
    def spread(cls, spread: Spread, **rest: Any) -> Row:
        """A row with the numbers of a spread."""
        return cls(ratio=spread.median, low=spread.low, high=spread.high, quartiles=spread.quartiles, **rest)

    def passes(self) -> bool | None:
        """Whether what is asked is there; None where nothing is asked."""
        asked = []
        if self.target is not None:
            asked.append(self.ratio >= self.target)
        if self.limit_target is not None and self.limit_fraction is not None:
            asked.append(self.limit_fraction >= self.limit_target)
        if self.between is not None:
            asked.append(self.between[0] <= self.ratio <= self.between[1])
        return all(asked) if asked else None

    def entry(self) -> dict[str, Any]:
        """As the JSON file has it."""
        return {**asdict(self), "passes": self.passes()}


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A comparison that could not be made here, and why."""

    what: str
    reason: str
