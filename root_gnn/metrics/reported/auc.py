"""Area under the ROC curve: of signal for two classes, else the mean over all ordered pairs of classes."""

from __future__ import annotations

from typing import ClassVar, Literal

from root_gnn.metrics.auc import auc, auc_multiclass
from root_gnn.metrics.measured import Measured
from root_gnn.metrics.metric import Metric, ScoredEvents


class Config(Metric):
    """The metric `auc`; studies compare it event by event, so they need no table of it over seeds."""

    title: ClassVar[str] = "test AUC"
    order: ClassVar[int] = 10
    quick_for: ClassVar[tuple[Literal["softmax", "sigmoid"], ...]] = ("softmax", "sigmoid")
    has_seed_table: ClassVar[bool] = False

    def measure(self, events: ScoredEvents) -> Measured | None:
        """The area with its error."""
        if events.n_class == 2:
            return auc(events.signal_score, events.labels, events.weights)
        return auc_multiclass(events.probabilities, events.labels, events.weights)
