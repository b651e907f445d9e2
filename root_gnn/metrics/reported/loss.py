"""Cross entropy of the true class in nats."""

from __future__ import annotations

from typing import ClassVar, Literal

from root_gnn.metrics.cross_entropy import cross_entropy
from root_gnn.metrics.measured import Measured
from root_gnn.metrics.metric import Metric, ScoredEvents


class Config(Metric):
    """The metric `loss`, the cross entropy. Validation logs the loss of the objective itself as `val/loss`."""

    title: ClassVar[str] = "loss"
    order: ClassVar[int] = 30
    shown_in: ClassVar[tuple[Literal["report", "study"], ...]] = ("report",)
    has_error: ClassVar[bool] = False
    has_seed_table: ClassVar[bool] = False

    def measure(self, events: ScoredEvents) -> Measured | None:
        """The weighted mean with its error."""
        return cross_entropy(events.probabilities, events.labels, events.weights)
