"""Largest expected significance of signal over all cuts on the score, from the yields of two classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from root_gnn.metrics.formatting import format_number
from root_gnn.metrics.measured import Measured
from root_gnn.metrics.metric import Entry, Metric, ScoredEvents
from root_gnn.metrics.significance import Significance, significance


class Config(Metric):
    """The metric `significance`, computed by `root_gnn.metrics.significance`."""

    title: ClassVar[str] = "significance"
    order: ClassVar[int] = 50
    shown_in: ClassVar[tuple[Literal["report", "study"], ...]] = ("study",)
    digits: ClassVar[int] = 2
    requirement: ClassVar[str] = (
        ": it is that of an expected yield, which takes a luminosity (data.lumi) and the cross sections of the samples"
    )

    def measure(self, events: ScoredEvents) -> Measured | None:
        """The largest significance with its error."""
        best = _significance(events)
        return None if best is None else Measured(best.max, best.error)

    def entry(self, events: ScoredEvents) -> dict[str, Any]:
        """The significance, its error and the threshold of the cut; None without yields and but for two classes."""
        best = _significance(events)
        return {self.name: None if best is None else best._asdict()}

    def combined(self, entries: Sequence[Entry]) -> dict[str, Any]:
        """Not defined for several labels."""
        del entries  # yields are those of processes, which labels do not name
        return {self.name: None}

    def value(self, entry: Entry) -> float | None:
        """The largest significance."""
        largest: float | None = (entry.get(self.name) or {}).get("max")
        return largest

    def columns(self, entry: Entry) -> dict[str, float | None]:
        """The largest significance."""
        return {self.name: self.value(entry)}

    def cells(self, columns: Mapping[str, float | None]) -> dict[str, str]:
        """The largest significance, without its error."""
        return {self.title: format_number(columns.get(self.name), digits=self.digits)}


def _significance(events: ScoredEvents) -> Significance | None:
    if events.n_class != 2 or events.yields is None:
        return None
    return significance(events.signal_score, events.labels, events.yields)
