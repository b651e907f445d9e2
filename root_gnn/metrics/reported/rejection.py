"""Background rejection of two classes at each of the usual signal efficiencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from root_gnn.metrics.formatting import format_interval
from root_gnn.metrics.measured import Measured
from root_gnn.metrics.metric import Entry, Metric, ScoredEvents
from root_gnn.metrics.rejection import SIGNAL_EFFICIENCIES, Rejection, rejections

COLUMN_ENDS = {"": "value", "_error": "error", "_low": "low", "_high": "high"}
"""Ends of the columns of a study's table, and the keys of `metrics.json` that fill them."""


class Config(Metric):
    """The metric `rejection`; studies compare it event by event, so they need no table of it over seeds."""

    title: ClassVar[str] = "rejection at {percent:.0f} % signal"
    order: ClassVar[int] = 40
    has_seed_table: ClassVar[bool] = False

    def measure(self, events: ScoredEvents) -> Measured | None:
        """The rejection at the first of the signal efficiencies."""
        first = _rejections(events)[0] if events.n_class == 2 else None
        return None if first is None else Measured(first.value, first.error)

    def entry(self, events: ScoredEvents) -> dict[str, Any]:
        """Value, error and interval by signal efficiency; None but for two classes."""
        if events.n_class != 2:
            return {self.name: None}
        undefined: dict[str, float | None] = dict.fromkeys(Rejection._fields)
        return {
            self.name: {
                str(efficiency): undefined if rejection is None else rejection._asdict()
                for efficiency, rejection in zip(SIGNAL_EFFICIENCIES, _rejections(events), strict=True)
            }
        }

    def combined(self, entries: Sequence[Entry]) -> dict[str, Any]:
        """Not defined for several labels."""
        del entries  # a mean of rejections means nothing
        return {self.name: None}

    def value(self, entry: Entry) -> float | None:
        """The rejection at the first of the signal efficiencies."""
        return self.columns(entry)[f"rejection_{100 * SIGNAL_EFFICIENCIES[0]:.0f}"]

    def columns(self, entry: Entry) -> dict[str, float | None]:
        """Value, error and ends of the interval at each signal efficiency, as `rejection_30_low`."""
        known = entry.get(self.name) or {}
        return {
            f"rejection_{100 * efficiency:.0f}{end}": (known.get(str(efficiency)) or {}).get(key)
            for efficiency in SIGNAL_EFFICIENCIES
            for end, key in COLUMN_ENDS.items()
        }

    def cells(self, columns: Mapping[str, float | None]) -> dict[str, str]:
        """The rejection with its interval at each signal efficiency."""
        cells = {}
        for percent in (100 * efficiency for efficiency in SIGNAL_EFFICIENCIES):
            numbers = {key: columns.get(f"rejection_{percent:.0f}{end}") for end, key in COLUMN_ENDS.items()}
            cells[self.title.format(percent=percent)] = format_interval(**numbers)
        return cells


def _rejections(events: ScoredEvents) -> tuple[Rejection | None, ...]:
    return rejections(events.signal_score, events.labels, events.weights, signal_efficiencies=SIGNAL_EFFICIENCIES)
