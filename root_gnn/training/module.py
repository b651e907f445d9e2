"""The one LightningModule: an objective, its optimiser, and what validation measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.optim import Optimizer

from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.static import Shape, padded
from root_gnn.protocols import Augmentation, Objective, Supervised
from root_gnn.training.callbacks.collapse import SPREAD
from root_gnn.training.evaluation import ModelOutputs, quick_figures, quick_metrics
from root_gnn.training.fsdp import shard
from root_gnn.training.optim import OptimConfig, groups, optimizer, scheduler


def monitored_quantities(objective: Objective) -> tuple[str, ...]:
    """Returns the possible values of `train.monitor`: what validation measures for an objective, where defined."""
    if not isinstance(objective, Supervised):
        return ("val/loss", "probe/auc", *SPREAD, *(f"ssl/{name}" for name in objective.measures))
    return ("val/loss", *(f"val/{metric.name}" for metric in quick_metrics(objective)))


class TrainingModule(pl.LightningModule):
    """Passes batches to the objective and losses to Lightning; adds nothing to either.

    Args:
        objective: what is trained.
        optim: the section `optim` of the recipe.
        augmentations: applied to training batches, in this order.
        seed: seed of the augmentations.
        n_step: optimiser steps in all.
        steps_per_epoch: optimiser steps of an epoch.
        shape: sizes that training batches are padded to; None for no padding.
        sharded: whether weights are shared out over the processes (FSDP).
    """

    def __init__(
        self,
        objective: Objective,
        optim: OptimConfig,
        *,
        augmentations: Sequence[Augmentation] = (),
        seed: int = 0,
        n_step: int = 1,
        steps_per_epoch: int = 1,
        shape: Shape | None = None,
        sharded: bool = False,
    ) -> None:
        super().__init__()
        self.objective, self.optim, self.shape = objective, optim, shape
        self.augmentations = list(augmentations)
        self.seed, self.n_step, self.steps_per_epoch = seed, n_step, steps_per_epoch
        self.frozen, self.sharded = optim.backbone_lr_scale == 0.0, sharded
        if self.frozen:
            objective.encoder.requires_grad_(False)
        self._model_outputs: list[ModelOutputs] = []
        self._sums: dict[str, Tensor | float] = {}
        self._n_graph = 0

    def configure_model(self) -> None:
        """Shares out the weights over the processes, where the recipe says so."""
        if self.sharded and self.device_mesh is not None:
            shard(self.objective, self.device_mesh["data_parallel"])
            self.sharded = False  # once: Lightning may call this again

    def train(self, mode: bool = True) -> TrainingModule:
        """Sets training mode for everything but a frozen backbone, whose dropout stays off."""
        super().train(mode)
        if self.frozen:
            self.objective.encoder.eval()
        return self

    def augmented(self, batch: Batch) -> Batch:
        """Returns the batch after the recipe's augmentations, drawn for this epoch."""
        for place, augmentation in enumerate(self.augmentations):
            batch = augmentation(batch, RandomStream(seed=self.seed, epoch=self.current_epoch, place=place))
        return batch

    def transfer_batch_to_device(
        self,
        batch: Batch,
        device: torch.device,
        dataloader_idx: int,  # noqa: ARG002 Lightning passes it by name
    ) -> Batch:
        """Copies from pinned memory while the device works.

        Lightning's own copy waits for anything but plain tensors.
        """
        return batch.to(device, non_blocking=True)

    def training_step(self, batch: Batch, index: int) -> dict[str, Tensor]:  # noqa: ARG002  Lightning passes it
        """Returns the losses of one batch, with views drawn for this epoch.

        With a shape the network reads padded batches.
        """
        batch = self.augmented(batch)
        if self.shape is not None and isinstance(self.objective, Supervised):
            return self.objective.losses(self.objective.head_outputs(padded(batch, self.shape))[: batch.n_graph], batch)
        draws = RandomStream(seed=self.seed, epoch=self.current_epoch, place=len(self.augmentations))
        return self.objective(batch, draws)  # type: ignore[no-any-return]

    def on_train_start(self) -> None:
        """Ends a resumed training that had already made all its steps."""
        self._stop_after_last_step()

    def on_train_batch_end(self, *_: Any) -> None:
        """Validates and ends where `train.max_steps` ends an epoch early.

        Lightning's own limit leaves without validation, and with it a training that is resumed at the end of an epoch
        skips one.
        """
        self._stop_after_last_step()

    def _stop_after_last_step(self) -> None:
        if self.trainer.global_step >= self.n_step:
            self.trainer.should_stop = True

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Does Lightning's step, then the objective's own (an EMA target), once each."""
        super().optimizer_step(*args, **kwargs)
        self.objective.after_step((self.trainer.global_step + 1) / self.n_step)  # Lightning counts this step later

    def configure_gradient_clipping(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> None:
        """Clips by the global norm; Lightning's own refuses a fused optimiser under bf16."""
        del optimizer, args, kwargs  # Lightning's own keys for clipping are not used
        if self.optim.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_([p for p in self.parameters() if p.grad is not None], self.optim.clip_norm)

    def validation_step(self, batch: Batch, index: int) -> dict[str, Tensor]:  # noqa: ARG002  Lightning passes it
        """Collects outputs of a supervised objective; returns representations of any other to the callbacks."""
        outputs: dict[str, Tensor] = {}
        if isinstance(self.objective, Supervised):
            head_outputs, batch = self.objective.valid_outputs(self.objective.head_outputs(batch), batch)
            losses = self.objective.losses(head_outputs, batch)
            self._model_outputs.append(ModelOutputs.of(self.objective, batch, head_outputs))
        else:
            losses = self.objective(batch)
            outputs = {"representation": self.objective.encoder(batch).globals.float(), **batch.labels}
        for name in ("loss", *self.objective.measures):
            self._sums[name] = self._sums.get(name, 0.0) + losses[name].detach() * batch.n_graph
        self._n_graph += batch.n_graph
        return outputs

    def on_validation_epoch_end(self) -> None:
        """Logs what `monitored_quantities` lists, except what callbacks measure about representations."""
        values: dict[str, float] = {}
        if isinstance(self.objective, Supervised):
            found = quick_figures(ModelOutputs.joined(self._model_outputs), self.objective)
            values = {f"val/{name}": value for name, value in found.items()}
        means = {name: float(total) / max(self._n_graph, 1) for name, total in self._sums.items()}
        values["val/loss"] = means.pop("loss")
        values |= {f"ssl/{name}": value for name, value in means.items()}
        self.log_dict(values, batch_size=1, sync_dist=True)
        self._model_outputs, self._sums, self._n_graph = [], {}, 0

    def configure_optimizers(self) -> Any:
        """Returns AdamW over backbone and head with one schedule, stepped with the optimiser."""
        adam = optimizer(groups(self.objective.encoder, self.objective, self.optim), self.optim)
        course = scheduler(adam, self.optim, n_step=self.n_step, steps_per_epoch=self.steps_per_epoch)
        return {"optimizer": adam, "lr_scheduler": {"scheduler": course, "interval": "step"}}
