"""The outputs of a supervised objective on a split, and the metrics computed from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.metrics.metric import Metric, ScoredEvents, mean_of_defined
from root_gnn.metrics.registry import reported_metrics
from root_gnn.metrics.summary import summary
from root_gnn.protocols import Supervised
from root_gnn.typing import Floats


@dataclass(frozen=True)
class ModelOutputs:
    """Predictions and truth in event order.

    Attributes:
        probabilities: `(n_event, n_output)`, by class or label.
        truth: class indices `(n_event,)`, or labels `(n_event, n_output)`.
        weights: signed event weights, `(n_event,)`.
        ids: id columns, `(n_event, n_id)`.
    """

    probabilities: Floats
    truth: NDArray[np.int64]
    weights: Floats
    ids: NDArray[np.int64]

    @property
    def n_event(self) -> int:
        """Number of events."""
        return len(self.weights)

    @classmethod
    def of(cls, objective: Supervised, batch: Batch, outputs: Tensor) -> Self:
        """Makes those of one batch from the outputs of the head, `(n_graph, n_head_output)`."""
        probabilities = probabilities_of(objective, outputs)
        if objective.link == "softmax":
            truth = batch.labels["label"]
        else:
            truth = torch.stack([batch.labels[name] for name in objective.outputs()], dim=1)
        weights = torch.ones(batch.n_graph) if batch.weights is None else batch.weights
        ids = torch.arange(batch.n_graph).unsqueeze(1) if batch.ids is None else batch.ids
        return cls(
            probabilities.cpu().numpy(), truth.cpu().long().numpy(), weights.cpu().double().numpy(), ids.cpu().numpy()
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Concatenates the outputs of several batches."""
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("probabilities", "truth", "weights", "ids")
            )
        )


def probabilities_of(objective: Supervised, outputs: Tensor) -> Tensor:
    """Returns probabilities `(n_graph, n_output)` of head outputs `(n_graph, n_head_output)`, in float64."""
    logits = objective.logits_of(outputs).detach().double()
    return torch.softmax(logits, dim=1) if objective.link == "softmax" else torch.sigmoid(logits)


def model_outputs(objective: Supervised, batches: Iterable[Batch], device: torch.device | str = "cpu") -> ModelOutputs:
    """Computes the outputs of the objective in evaluation mode, without gradients, in the order of the batches."""
    was_training = objective.training
    objective.eval()
    parts = []
    with torch.inference_mode():
        for each in batches:
            batch = each.to(device)
            outputs, valid = objective.valid_outputs(objective.head_outputs(batch), batch)
            parts.append(ModelOutputs.of(objective, valid, outputs))
    objective.train(was_training)
    return ModelOutputs.joined(parts)


def figures(found: ModelOutputs, objective: Supervised, *, lumi_weights: Floats | None = None) -> dict[str, Any]:
    """Computes one split's entry of `metrics.json`.

    For several yes-or-no labels each metric is the mean over the labels for which it is defined (`Metric.combined`),
    and each label's own figures stand under `labels`.

    Args:
        found: outputs, labels and weights of the split.
        objective: the objective that gave the outputs.
        lumi_weights: expected yields, `(n_event,)`, without which there is no significance.
    """
    if objective.link == "softmax":
        return summary(
            found.probabilities, found.truth, found.weights, n_class=len(objective.outputs()), lumi_weights=lumi_weights
        )
    each: dict[str, dict[str, Any]] = {}
    for k, name in enumerate(objective.outputs()):
        events = _events_of_label(found, k)
        each[name] = summary(events.probabilities, events.labels, events.weights, n_class=2)
    entry: dict[str, Any] = {"n_events": found.n_event, "sum_of_weights": float(found.weights.sum())}
    for metric in reported_metrics():
        entry |= metric.combined(list(each.values()))
    return {**entry, "labels": each}


def quick_metrics(objective: Supervised) -> tuple[Metric, ...]:
    """The metrics that are cheap enough for every epoch, in order."""
    return tuple(metric for metric in reported_metrics() if objective.link in metric.quick_for)


def quick_figures(found: ModelOutputs, objective: Supervised) -> dict[str, float]:
    """Returns the quick metrics that are defined, without errors; for several labels the mean over labels."""
    if objective.link == "softmax":
        each = [ScoredEvents(found.probabilities, found.truth, found.weights)]
    else:
        each = [_events_of_label(found, k) for k in range(found.truth.shape[1])]
    values = {}
    for metric in quick_metrics(objective):
        measured = [metric.measure(events) for events in each]
        mean = mean_of_defined([None if one is None else one.value for one in measured])
        if mean is not None:
            values[metric.name] = mean
    return values


def _events_of_label(found: ModelOutputs, k: int) -> ScoredEvents:
    """The events as two classes, without and with the label `k`."""
    yes = found.probabilities[:, k]
    return ScoredEvents(np.stack([1.0 - yes, yes], axis=1), found.truth[:, k], found.weights)
