"""Shows the progress of a training: events per second, time left, the latest validation."""

from __future__ import annotations

import math
from typing import Any

import lightning.pytorch as pl

from root_gnn.console import Meter, log
from root_gnn.training.callbacks.history import VALIDATION


class Throughput(pl.Callback):
    """Shows one bar over all epochs on a terminal, else a line every so often, and a line for each epoch."""

    def __init__(self, name: str, *, n_graph: int) -> None:
        self.name, self.n_graph = name, n_graph
        self._meter: Meter | None = None
        self._note = ""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Opens the meter at what is left to do."""
        if trainer.is_global_zero:
            module: Any = pl_module  # the one that knows how many steps there are
            epochs = (module.n_step - trainer.global_step) / module.steps_per_epoch
            self._meter = Meter(f"training {self.name}", math.ceil(self.n_graph * epochs), "events").__enter__()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Advances the bar by the events of all ranks."""
        if self._meter is not None:
            self._meter.advance(batch.n_graph * trainer.world_size, self._note)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remembers the epoch's figures for the bar."""
        values = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith(VALIDATION)}
        self._note = ", ".join(f"{name} {value:.4f}" for name, value in sorted(values.items()))
        log.debug("epoch %d: %s", trainer.current_epoch + 1, self._note)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Closes the meter."""
        if self._meter is not None:
            self._meter.__exit__(None, None, None)
            self._meter = None
