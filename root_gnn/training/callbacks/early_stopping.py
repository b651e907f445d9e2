"""Early stopping that stays stopped."""

from __future__ import annotations

import lightning.pytorch as pl
from lightning.pytorch.callbacks import early_stopping


class EarlyStopping(early_stopping.EarlyStopping):
    """Lightning's, which forgets that it had stopped: a run killed in its evaluation would train on when resumed.

    The name is that of the base class, since checkpoints know a callback by it. A monitored value that is not measured
    is left to `Checkpoints`, which names what there is.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Ends a resumed training that had ended early."""
        if self.stopping_reason is not early_stopping.EarlyStoppingReason.NOT_STOPPED:
            trainer.should_stop = True
