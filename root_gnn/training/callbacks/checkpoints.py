"""Checkpoints: `last.ckpt`, `best.ckpt` and the weights of chosen epochs, each written whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Checkpoint

from root_gnn.atomic import atomic_file
from root_gnn.errors import InputError
from root_gnn.training.callbacks.history import VALIDATION, is_last, stepped


class Checkpoints(Checkpoint):
    """Saves `last` after every epoch (and every `every` steps), and `best` whenever the monitored value improves.

    A value that is not finite is no improvement.

    Args:
        folder: the folder of the checkpoints.
        monitor: the monitored value.
        mode: whether a small (`min`) or a large value (`max`) is better.
        every: steps between checkpoints within an epoch; None for none.
        keep: epochs (from 1) after which the weights alone are saved to a file of their own.
    """

    def __init__(
        self, folder: Path, *, monitor: str, mode: Literal["min", "max"], every: int | None, keep: Collection[int] = ()
    ) -> None:
        self.folder, self.monitor, self.mode, self.every, self.keep = folder, monitor, mode, every, keep
        self.best: float | None = None
        self.best_epoch = 0

    @property
    def last_path(self) -> Path:
        """The checkpoint that training is resumed from."""
        return self.folder / "last.ckpt"

    @property
    def best_path(self) -> Path:
        """The checkpoint whose weights everything else uses."""
        return self.folder / "best.ckpt"

    def state_dict(self) -> dict[str, Any]:
        """Returns the best value so far and its epoch."""
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Saves within an epoch every so many steps, but not on its last.

        After a checkpoint of the last step Lightning would resume without validating.
        """
        if self.every is None or is_last(trainer, batch_idx) or not stepped(trainer, batch_idx):
            return
        if trainer.global_step % self.every == 0:
            self.save(trainer, self.last_path)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Saves after validation, `best` first, so that a `last` never refers to a `best` that does not exist."""
        found = trainer.callback_metrics.get(self.monitor)
        if found is None:
            known = ", ".join(sorted(name for name in trainer.callback_metrics if name.startswith(VALIDATION)))
            raise InputError(
                f"train.monitor is {self.monitor}, which was not measured on the validation "
                f"events; measured were {known}"
            )
        value = float(found)
        improved = self.best is None or (value < self.best if self.mode == "min" else value > self.best)
        if improved and math.isfinite(value):
            self.best, self.best_epoch = value, trainer.current_epoch
            self.save(trainer, self.best_path)
        if trainer.current_epoch + 1 in self.keep and trainer.is_global_zero:
            with atomic_file(self.folder / f"epoch_{trainer.current_epoch + 1}.ckpt") as temporary:
                torch.save({"state_dict": pl_module.state_dict()}, temporary)
        self.save(trainer, self.last_path)

    def save(self, trainer: pl.Trainer, path: Path) -> None:
        """Writes one checkpoint beside its place and moves it there."""
        if trainer.world_size > 1:  # every rank must take part; Lightning writes on the first one
            trainer.save_checkpoint(path.with_suffix(".part"))
            if trainer.is_global_zero:
                path.with_suffix(".part").replace(path)
            trainer.strategy.barrier()
            return
        with atomic_file(path) as temporary:
            trainer.save_checkpoint(temporary)
