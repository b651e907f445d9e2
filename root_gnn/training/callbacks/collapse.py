"""Monitors whether representations collapse: their spread is measured after every epoch, with an alarm."""

from __future__ import annotations

from typing import Any, Literal

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from torch import Tensor

from root_gnn.console import log
from root_gnn.nn.nt_xent import uniformity

SPREAD = ("ssl/feature_std", "ssl/cosine", "ssl/effective_rank", "ssl/uniformity")
SAME_DIRECTION = 0.999  # mean cosine similarity; freshly drawn networks stay below it
ONE_DIMENSION = 1.5  # effective rank
FEWEST = 20  # events below which a low rank says nothing: it is less than their number
MOST_EVENTS = 4096  # for the figure that needs all pairs
WHAT_NOW = {
    "warn": "Training goes on; train.on_collapse=stop would end it here.",
    "stop": "Training ends here (train.on_collapse=stop); the run is written down as it is.",
}


class Collapse(pl.Callback):
    """Logs the spread of the validation events' representations; warns, or stops the training, when they collapse."""

    def __init__(self, name: str, *, then: Literal["warn", "stop"]) -> None:
        self.name, self.then = name, then
        self.has_collapsed = False
        self._rows: list[Tensor] = []

    def state_dict(self) -> dict[str, Any]:
        """Returns whether the alarm was raised."""
        return {"has_collapsed": self.has_collapsed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        self.has_collapsed = state_dict["has_collapsed"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Ends a resumed training that the alarm had ended."""
        if self.has_collapsed and self.then == "stop":
            trainer.should_stop = True

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Collects the representations."""
        self._rows.append(outputs["representation"].cpu())

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Logs the figures, and raises the alarm where representations have collapsed."""
        rows = torch.cat(self._rows)
        values, n_event = spread(rows), len(rows)
        self._rows = []
        pl_module.log_dict(values, batch_size=1, sync_dist=True)
        collapsed = n_event >= FEWEST and (
            values["ssl/cosine"] > SAME_DIRECTION or values["ssl/effective_rank"] < ONE_DIMENSION
        )
        if collapsed and not self.has_collapsed and trainer.is_global_zero:
            log.warning(
                "%s has collapsed: after epoch %d the representations of different events are nearly the "
                "same (mean cosine similarity "
                "%.4f, effective rank %.2f). Lower optim.lr, or give the objective a term of variance "
                "(objective.variance=1 for jepa). %s",
                self.name,
                trainer.current_epoch + 1,
                values["ssl/cosine"],
                values["ssl/effective_rank"],
                WHAT_NOW[self.then],
            )
        self.has_collapsed = collapsed
        if collapsed and self.then == "stop":
            trainer.should_stop = True


def spread(rows: Tensor) -> dict[str, float]:
    """Measures how spread out the representations `rows (n_event, dim)` are, without gradients.

    Returns values by name: `feature_std`, the mean over features of the standard deviation of unit representations
    times sqrt(dim), so that 1 is an even spread in all directions; `cosine`, the mean cosine similarity over pairs of
    different events; `effective_rank`, exp(entropy) of the singular values after centring (Roy and Vetterli 2007);
    `uniformity` as in Wang and Isola 2020, arXiv:2005.10242.
    """
    rows = rows.double()
    unit = F.normalize(rows, dim=1, eps=1e-12)
    n, dim = unit.shape
    squares = float(unit.square().sum())
    cosine = (float(unit.sum(0).square().sum()) - squares) / max(n * (n - 1), 1)
    centred = rows - rows.mean(0)
    eigenvalues = torch.linalg.eigvalsh(centred.T @ centred).clamp(min=0.0)
    singular = torch.where(eigenvalues > 1e-12 * rows.square().sum(), eigenvalues, 0.0).sqrt()
    share = singular[singular > 0] / singular.sum()
    some = unit[:: -(-n // MOST_EVENTS)]
    return dict(
        zip(
            SPREAD,
            (
                float(unit.std(0, correction=0).mean()) * dim**0.5,
                cosine,
                float(torch.exp(-(share * share.log()).sum())),
                float(uniformity(some)),
            ),
            strict=True,
        )
    )
