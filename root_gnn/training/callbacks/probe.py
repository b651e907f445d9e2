"""A linear probe during training without labels: what a linear model could do with the current representations."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from root_gnn.metrics.auc import auc, auc_multiclass

RIDGE = 1e-3  # of the number of events; features have unit variance
FEWEST = 20


class Probe(pl.Callback):
    """Logs `probe/auc` after each epoch where events have labels; the encoder is never trained by it.

    Every second validation event is in the other half; a ridge regression on the classes is fitted to one half and
    tested on the other, and the other way round. At most `n_event` events are used, evenly spaced.
    """

    def __init__(self, n_event: int) -> None:
        self.n_event = n_event
        self._rows: list[Tensor] = []
        self._labels: list[Tensor] = []

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Collects representations and labels."""
        if self.n_event and "label" in outputs:
            self._rows.append(outputs["representation"].cpu())
            self._labels.append(outputs["label"].cpu())

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Fits the probe and logs its AUC, where there are at least two classes."""
        if not self._labels:
            return
        rows, labels = torch.cat(self._rows), torch.cat(self._labels)
        self._rows, self._labels = [], []
        rows, labels = rows[labels >= 0], labels[labels >= 0]
        step = max(-(-len(labels) // self.n_event), 1)
        found = probe_auc(rows[::step], labels[::step])
        if found is not None:
            pl_module.log("probe/auc", found, batch_size=1, sync_dist=True)


def probe_auc(rows: Tensor, labels: Tensor) -> float | None:
    """Returns the AUC of a linear model on `rows (n_event, dim)`; for several classes the mean over pairs of them.

    Each half of the events, every second one, is tested with the model fitted to the other half; the result is the mean
    of both. None where there are too few events, or where a class is missing in a half.
    """
    present, labels = torch.unique(labels, return_inverse=True)
    if len(present) < 2 or len(labels) < FEWEST:
        return None
    first = torch.arange(len(labels)) % 2 == 0
    values = []
    for train in (first, ~first):
        scores = _ridge(rows[train].double(), labels[train], rows[~train].double(), len(present))
        truth = labels[~train].numpy()
        if len(present) == 2:
            found = auc((scores[:, 1] - scores[:, 0]).numpy(), truth)
        else:
            found = auc_multiclass(torch.softmax(scores, 1).numpy(), truth)
        if found is None:
            return None
        values.append(found.value)
    return sum(values) / len(values)


def _ridge(rows: Tensor, labels: Tensor, others: Tensor, n_class: int) -> Tensor:
    """Returns scores `(n_other, n_class)` of the one-hot regression fitted to `rows (n, dim)` with balanced classes."""
    one_hot = torch.nn.functional.one_hot(labels, n_class).double()
    weights = (one_hot / one_hot.sum(0).clamp(min=1.0)).sum(1, keepdim=True) * len(labels) / n_class
    mean, std = rows.mean(0), rows.std(0, correction=0)
    scale = torch.where(std > 1e-9, 1.0 / std.clamp(min=1e-9), 0.0)
    x = torch.cat([(rows - mean) * scale, rows.new_ones(len(rows), 1)], 1)
    y = torch.cat([(others - mean) * scale, others.new_ones(len(others), 1)], 1)
    penalty = RIDGE * len(labels) * torch.eye(x.shape[1], dtype=x.dtype)
    solution: Tensor = torch.linalg.solve(x.T @ (weights * x) + penalty, x.T @ (weights * one_hot))
    return y @ solution
