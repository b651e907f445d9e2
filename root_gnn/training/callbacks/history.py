"""`history.csv`: every scalar of a run exactly once, whatever interrupts it.

Rows are `epoch,step,tag,value` (epochs from 0, optimiser steps so far) and are only ever appended. A checkpoint
remembers the length of the file; a resumed run cuts the file back to it, so that rows of lost steps vanish and none is
repeated.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from root_gnn.training.processes import from_all

HEADER = "epoch,step,tag,value\n"
VALIDATION = ("val/", "ssl/", "probe/")  # what is measured after an epoch


def stepped(trainer: pl.Trainer, batch_idx: int) -> bool:
    """Returns whether the optimiser made a step with this batch, since gradients may be accumulated."""
    return (batch_idx + 1) % trainer.accumulate_grad_batches == 0 or is_last(trainer, batch_idx)


def is_last(trainer: pl.Trainer, batch_idx: int) -> bool:
    """Whether validation follows: the epoch ends with this batch, or training with this step."""
    return batch_idx + 1 == trainer.num_training_batches or trainer.global_step == trainer.lightning_module.n_step


class History(pl.Callback):
    """Writes scalars of training (every `log_every` steps) and validation to CSV and TensorBoard.

    Training scalars are means over all processes, of which the first one writes.
    """

    def __init__(self, path: Path, *, log_every: int, batch_size: int) -> None:
        self.path, self.log_every, self.batch_size = path, log_every, batch_size
        self.seconds = 0.0
        self.n_graph = 0
        self._n_new = 0  # graphs of this process that `n_graph`, over all of them, has not got yet
        self._sums: dict[str, Tensor | float] = {}
        self._n_summed = 0
        self._since = (0.0, 0)
        self._clock = 0.0
        self._grad_norm: Tensor | None = None
        self._resumed_length: int | None = None
        self._resumed_sums: list[dict[str, float]] = []

    def state_dict(self) -> dict[str, Any]:
        """Returns the length of the file, the time spent, and the sums since the last row."""
        sums = self._sums_of_all()
        return {
            "length": self.path.stat().st_size if self.path.exists() else 0,
            "seconds": self.seconds,
            "n_graph": self.n_graph,
            "sums": sums,
            "n_summed": self._n_summed,
            "since": list(self._since),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        self._resumed_length = state_dict["length"]
        self.seconds, self.n_graph = state_dict["seconds"], state_dict["n_graph"]
        sums = state_dict["sums"]
        self._resumed_sums, self._n_summed = sums if isinstance(sums, list) else [sums], state_dict["n_summed"]
        self._since = (state_dict["since"][0], state_dict["since"][1])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the file, or cuts it back to the checkpoint."""
        self._clock = time.monotonic()
        if self._resumed_sums:
            same = len(self._resumed_sums) == trainer.world_size
            self._sums = dict(self._resumed_sums[trainer.global_rank] if same else _mean(self._resumed_sums))
            self._resumed_sums = []
        if not trainer.is_global_zero:
            return
        if self._resumed_length is None or not self.path.exists():
            self.path.write_text(HEADER, encoding="utf-8")
        elif self.path.stat().st_size > self._resumed_length:
            os.truncate(self.path, self._resumed_length)

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Measures the norm of the gradient before it is clipped, on the steps that are written."""
        if (trainer.global_step + 1) % self.log_every == 0:
            gradients = [parameter.grad for parameter in pl_module.parameters() if parameter.grad is not None]
            self._grad_norm = torch.nn.utils.get_total_norm(gradients)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Sums losses on the device; reads them only on the steps that are written."""
        now = time.monotonic()
        self.seconds, self._clock = self.seconds + now - self._clock, now
        self._n_new += batch.n_graph
        for name, value in outputs.items():
            parts = trainer.accumulate_grad_batches if name == "loss" else 1  # Lightning has divided this one by them
            self._sums[name] = self._sums.get(name, 0.0) + value.detach() * parts
        self._n_summed += 1
        due = stepped(trainer, batch_idx) and trainer.global_step % self.log_every == 0
        if due or is_last(trainer, batch_idx):  # an epoch of fewer steps than `log_every` leaves a row too
            self._write_training(trainer)

    def _sums_of_all(self) -> list[dict[str, float]]:
        """Gathers the sums of all processes; also counts their graphs, to avoid a second synchronisation."""
        own = {name: float(value) for name, value in self._sums.items()}
        n_new, sums = zip(*from_all((self._n_new, own)), strict=True)
        self.n_graph, self._n_new = self.n_graph + sum(n_new), 0
        return list(sums)

    def _write_training(self, trainer: pl.Trainer) -> None:
        sums = _mean(self._sums_of_all())
        values = {f"train/{name}": value / self._n_summed for name, value in sums.items()}
        if self._grad_norm is not None:
            values["train/grad_norm"] = float(self._grad_norm)
            self._grad_norm = None
        seconds, n_graph = self._since
        values["train/events_per_s"] = (self.n_graph - n_graph) / max(self.seconds - seconds, 1e-9)
        for group in trainer.optimizers[0].param_groups:
            if not group["name"].endswith("_no_decay"):
                values[f"lr/{group['name']}"] = group["lr"]
        self._sums, self._n_summed, self._since = {}, 0, (self.seconds, self.n_graph)
        self.write(trainer, values)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Validation does not count as training time."""
        self.seconds += time.monotonic() - self._clock

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes what the module logged."""
        self._clock = time.monotonic()
        self.write(
            trainer,
            {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith(VALIDATION)},
        )

    def write(self, trainer: pl.Trainer, values: Mapping[str, float]) -> None:
        """Appends one row per value and sends them to TensorBoard."""
        if not trainer.is_global_zero:
            return
        rows = "".join(
            f"{trainer.current_epoch},{trainer.global_step},{tag},{value!r}\n" for tag, value in values.items()
        )
        with self.path.open("a", encoding="utf-8") as file:
            file.write(rows)
        if trainer.logger is not None:
            trainer.logger.log_metrics(dict(values), step=trainer.global_step)


def _mean(sums: list[dict[str, float]]) -> dict[str, float]:
    """Mean over processes of each sum."""
    return {name: sum(each[name] for each in sums) / len(sums) for name in sums[0]}
