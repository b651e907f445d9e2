"""Saves and restores every random generator, so that a resumed run draws the same dropout as an unbroken one."""

from __future__ import annotations

import random
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch

from root_gnn.console import log
from root_gnn.training.processes import from_all, seed_of


class RandomState(pl.Callback):
    """Stores the states of all processes in the checkpoint and restores them just before the first batch after it.

    Where another number of processes resumes, each is seeded anew from `seed`, its rank and the step.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._pending: list[dict[str, Any]] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Returns the states of torch (CPU and GPUs), NumPy and Python of each process, as plain values and tensors."""
        return {"ranks": from_all(self._own())}

    def _own(self) -> dict[str, Any]:
        kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 somebody's plug-in may draw from it
        version, internal, gauss = random.getstate()
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "numpy": [str(kind), [int(key) for key in np.asarray(keys)], *(float(number) for number in rest)],
            "python": [version, list(internal), gauss],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keeps the states until training starts."""
        self._pending = state_dict.get("ranks", [state_dict])  # as one process wrote it before

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Restores the states, once."""
        if self._pending is None:
            return
        states, self._pending = self._pending, None
        if len(states) == trainer.world_size:
            self._put_back(states[trainer.global_rank])
            return
        torch.manual_seed(seed_of(self.seed, trainer.global_rank, trainer.global_step, trainer.world_size))
        if trainer.is_global_zero:
            log.warning(
                "%d processes go on with what %d began: dropout is drawn anew from here.",
                trainer.world_size,
                len(states),
            )

    def _put_back(self, state: dict[str, Any]) -> None:
        torch.set_rng_state(state["torch"])
        if state["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["cuda"])
        kind, keys, position, has_gauss, gauss = state["numpy"]
        legacy = (kind, np.array(keys, dtype=np.uint32), int(position), int(has_gauss), gauss)
        np.random.set_state(legacy)  # noqa: NPY002
        version, internal, python_gauss = state["python"]
        random.setstate((version, tuple(internal), python_gauss))
