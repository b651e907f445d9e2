"""A job that is told to end saves first, says how to go on, and does not pretend to have finished."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

import lightning.pytorch as pl

from root_gnn.console import log
from root_gnn.training.callbacks.checkpoints import Checkpoints

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
EXIT_CODES = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGUSR1: 143}


class Interrupt(pl.Callback):
    """The handler only raises a flag; the checkpoint is saved between two steps."""

    def __init__(self, checkpoints: Checkpoints, *, resume_command: str) -> None:
        self.checkpoints, self.resume_command = checkpoints, resume_command
        self._received: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listens from now on; only a main thread can."""
        for number in SIGNALS:
            try:
                self._before[number] = signal.signal(number, self._note)
            except ValueError:
                return

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = signal.Signals(number)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int,
    ) -> None:
        """Saves and leaves, if a signal came."""
        if self._received is None:
            return
        self.checkpoints.save(trainer, self.checkpoints.last_path)
        log.warning("Stopped by %s at epoch %d, step %d; saved. Go on with: %s",
                    self._received.name, trainer.current_epoch, trainer.global_step, self.resume_command)
        raise SystemExit(EXIT_CODES[self._received])

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Hands the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
