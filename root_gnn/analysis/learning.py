"""The course of a training: validation AUC by epoch, optimiser step and second of training."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from root_gnn.metrics.learning import seconds_at
from root_gnn.runs.run import Run
from root_gnn.typing import Floats


class Learning(NamedTuple):
    """Validation AUC after each epoch.

    Attributes:
        rows: `(n_epoch, 3)`, columns epoch (from 0), step and AUC.
        seconds: seconds of training until then, `(n_epoch,)`.
    """

    rows: Floats
    seconds: Floats

    @property
    def curves(self) -> dict[str, tuple[Floats, Floats]]:
        """The AUC against epoch, step and time, by the label of the axis."""
        epoch, step, auc = self.rows.T
        return {"Epoch": (epoch + 1.0, auc), "Optimiser step": (step, auc), "Training time [s]": (self.seconds, auc)}


def learning_of(run: Run) -> Learning | None:
    """Reads the course of a training from `history.csv`; None for a run without validation AUC."""
    history = run.history
    if "val/auc" not in history or "train/events_per_s" not in history:
        return None
    rows = history["val/auc"]
    ticks = clock(history["train/events_per_s"], rows, run)
    total = run.metrics.get("seconds")
    if total is not None and ticks[-1, 2] > 0.0:
        ticks[:, 2] *= total / ticks[-1, 2]  # rates may count the jets of events; the sum is known
    return Learning(rows, seconds_at(rows, ticks))


def clock(rates: Floats, ends: Floats, run: Run) -> Floats:
    """Returns rows of epoch, step and seconds of training so far; validation and evaluation do not count.

    Args:
        rates: events per second since the row before, `(n_row, 3)` of epoch, step and rate.
        ends: `(n_epoch, 3)`, with the last step of each epoch in column 1.
        run: the run, for its batch size and number of training events.
    """
    n_train, batch_size = run.plan["events"]["train"], run.recipe.train.batch_size
    epoch, step, rate = rates.T
    before = np.concatenate([[0.0], ends[:, 1]])[epoch.astype(np.int64)]
    events = epoch * n_train + np.minimum((step - before) * batch_size, n_train)
    return np.stack([epoch, step, np.cumsum(np.diff(events, prepend=0.0) / rate)], axis=1)
