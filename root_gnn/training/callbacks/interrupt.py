"""A job that is told to end saves a checkpoint first and exits with a code other than 0."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any

import lightning.pytorch as pl

from root_gnn.console import log
from root_gnn.training.callbacks.checkpoints import Checkpoints
from root_gnn.training.callbacks.history import is_last, stepped
from root_gnn.training.processes import from_all

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
EXIT_CODES = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGUSR1: 143}
SECONDS_BETWEEN_QUESTIONS = 1.0
MOST_STEPS_BETWEEN = 50  # steps may become slower


class Interrupt(pl.Callback):
    """Saves a checkpoint and exits when a signal arrives.

    The signal handler only sets a flag; between two steps a checkpoint is saved, and between two epochs there is one
    already.
    """

    def __init__(self, checkpoints: Checkpoints) -> None:
        self.checkpoints = checkpoints
        self._received: signal.Signals | None = None
        self._asked = (0, 0.0)  # step and time of the last question among several processes
        self._ask_at = 0
        self._before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Installs the signal handlers in place of Lightning's, which restores them at its end.

        Only in a main thread.
        """
        self._asked, self._ask_at = (trainer.global_step, time.monotonic()), trainer.global_step + 1
        for number in SIGNALS:
            try:
                self._before[number] = signal.signal(number, self._note)
            except ValueError:
                return

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = signal.Signals(number)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Saves and exits if a signal arrived, except on the last step of an epoch, which is saved when it ends."""
        if is_last(trainer, batch_idx) or not stepped(trainer, batch_idx):
            return
        if trainer.world_size > 1 and trainer.global_step < self._ask_at:
            return
        if received := self._told(trainer):
            self.checkpoints.save(trainer, self.checkpoints.last_path)
            _leave(trainer, received)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Exits if a signal arrived while the last epoch was validated and saved."""
        if self.checkpoints.best is not None and (received := self._told(trainer)):
            _leave(trainer, received)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Exits if a signal arrived in the last epoch, since what follows training has no checkpoint to save."""
        if received := self._told(trainer):
            _leave(trainer, received)

    def _told(self, trainer: pl.Trainer) -> signal.Signals | None:
        """Returns the signal that arrived at any process.

        All processes ask at the same step, so that all exit together. The next question is as many steps away as the
        slowest process makes in a second, at most fifty.
        """
        if trainer.world_size == 1:
            return self._received
        step, then = self._asked
        now = time.monotonic()
        each = from_all((int(self._received or 0), (now - then) / max(trainer.global_step - step, 1)))
        number, seconds = (max(values) for values in zip(*each, strict=True))
        self._asked = (trainer.global_step, now)
        steps = int(SECONDS_BETWEEN_QUESTIONS / max(seconds, 1e-3))
        self._ask_at = trainer.global_step + min(max(steps, 1), MOST_STEPS_BETWEEN)
        return (
            signal.Signals(number) if number else None
        )  # one that came since the others were told waits for the next question

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Restores the signal handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}


def _leave(trainer: pl.Trainer, received: signal.Signals) -> None:
    if trainer.is_global_zero:
        log.warning("Stopped by %s after step %d; saved.", received.name, trainer.global_step)
    raise SystemExit(EXIT_CODES[received])
