"""Results of a case: one row for each comparison, as JSON and as a line of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from root_gnn.bench.timing import Spread


@dataclass(frozen=True, kw_only=True)
class Row:
    """One of our implementations compared with one reference, or a figure that stands alone.

    Attributes:
        what: the setting in words (`training, hidden 64`), the same in every run.
        ours: name of our implementation.
        reference: name of the other one; without a reference the row is a figure.
        ratio: how many times better ours is (larger is better), or the value of a figure; a median over rounds.
        low: the smallest value.
        high: the largest value.
        quartiles: the quartiles.
        target: the smallest ratio required; None where none is.
        between: the range required of a figure; None where there is none.
        unit: unit of `rates` and of a figure.
        rates: by name, median over the rounds.
        limit_fraction: speed of ours as a fraction of that of the matrix multiplications alone.
        limit_target: the fraction required.
        max_difference: largest difference of the outputs of the two, asserted before timing; None where they are
            random.
        note: a remark for the reader.
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
        """Whether the target is reached; None where there is none."""
        asked = []
        if self.target is not None:
            asked.append(self.ratio >= self.target)
        if self.limit_target is not None and self.limit_fraction is not None:
            asked.append(self.limit_fraction >= self.limit_target)
        if self.between is not None:
            asked.append(self.between[0] <= self.ratio <= self.between[1])
        return all(asked) if asked else None

    def entry(self) -> dict[str, Any]:
        """The row as it stands in the JSON file."""
        return {**asdict(self), "passes": self.passes()}


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A comparison that could not be made on this machine, with the reason."""

    what: str
    reason: str
