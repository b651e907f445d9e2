"""Early stopping that remembers, over a resume, that it had stopped."""

from __future__ import annotations

import lightning.pytorch as pl
from lightning.pytorch.callbacks import early_stopping


class EarlyStopping(early_stopping.EarlyStopping):
    """Lightning's early stopping, which alone would train on when a run that was killed in its evaluation is resumed.

    The name is that of the base class, since checkpoints identify callbacks by it. A monitored value that is not
    measured is left to `Checkpoints`, which names what there is.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Ends a resumed training that had ended early."""
        if self.stopping_reason is not early_stopping.EarlyStoppingReason.NOT_STOPPED:
            trainer.should_stop = True
