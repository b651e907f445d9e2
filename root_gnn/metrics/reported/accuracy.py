"""Share of the event weight whose most probable class is the true one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from root_gnn.metrics.accuracy import accuracy
from root_gnn.metrics.measured import Measured
from root_gnn.metrics.metric import Entry, Metric, ScoredEvents, mean_of_defined


class Config(Metric):
    """The metric `accuracy`, computed by `root_gnn.metrics.accuracy`."""

    title: ClassVar[str] = "accuracy"
    order: ClassVar[int] = 20
    quick_for: ClassVar[tuple[Literal["softmax", "sigmoid"], ...]] = ("softmax",)

    def measure(self, events: ScoredEvents) -> Measured | None:
        """The weighted share with its error."""
        return accuracy(events.probabilities, events.labels, events.weights)

    def combined(self, entries: Sequence[Entry]) -> dict[str, Any]:
        """The mean over labels without an error: whether labels of one event are right is not independent."""
        return {self.name: mean_of_defined([entry[self.name] for entry in entries])}
