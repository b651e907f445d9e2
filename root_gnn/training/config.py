"""How long and on what a run trains."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from root_gnn.config.section import Section

Count = Annotated[int, Field(ge=1)]


class TrainConfig(Section):
    """The `train` section of a recipe.

    Training ends after `max_epochs` epochs or `max_steps` optimiser steps, whichever comes first, with a validation.
    `batch_size` counts the graphs of one optimiser step over all devices and the `accumulate` parts it is done in.
    `devices` and `num_nodes` need not be given under torchrun and srun, which know. `precision: f64` is for
    comparisons. `monitor` is what the best epoch is best by: `val/loss`; of a supervised objective `val/auc` or
    `val/accuracy`; without labels `probe/auc` of a linear probe of at most `probe_events` validation events, or a
    figure `ssl/...` of the spread of representations; `on_collapse` is what happens where they are all the same.
    `early_stopping` is the number of epochs in a row without a better one after which training ends. `checkpoint_every`
    saves within an epoch, every so many steps, beside the checkpoint each epoch ends with. `keep_epochs` are epochs
    (from 1) whose weights stay, as `checkpoints/epoch_<n>.ckpt`. `static_shapes` pads the batches of training to one
    number of graphs, nodes and edges, for steps that are captured and replayed; losses, gradients and figures stay what
    they are. `compile` has `torch.compile` make kernels for the backbone in the first step, which takes a minute; the
    compiled operator is not used then. `strategy: fsdp` shares out weights and the optimiser's averages over the
    processes, for encoders that are too large for one.
    """

    max_epochs: Count = 20
    max_steps: Count | None = None
    batch_size: Count = 256
    precision: Literal[32, "bf16", "f64"] = 32
    devices: Count = 1
    num_nodes: Count = 1
    early_stopping: Count | None = None
    monitor: str = "val/loss"
    checkpoint_every: Count | None = None
    keep_epochs: tuple[Count, ...] = ()
    accumulate: Count = 1
    log_every: Count = 20
    probe_events: Annotated[int, Field(ge=0)] = 10_000
    on_collapse: Literal["warn", "stop"] = "warn"
    static_shapes: bool = False
    compile: bool = False
    strategy: Literal["ddp", "fsdp"] = "ddp"

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"batch_size {self.batch_size} is not a multiple of accumulate {self.accumulate}, the parts of a step"
            )
        return self

    @property
    def monitor_mode(self) -> Literal["min", "max"]:
        """Losses and whatever grows when representations fall together are to be small, anything else large."""
        return "min" if self.monitor.endswith(("loss", "cosine", "alignment", "uniformity")) else "max"
