"""The section `train` of a recipe: how long and on what a run trains."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from root_gnn.config.section import Section

Count = Annotated[int, Field(ge=1)]


class TrainConfig(Section):
    """The `train` section of a recipe.

    Training ends after `max_epochs` epochs or `max_steps` optimiser steps, whichever comes first, with a validation.

    Attributes:
        max_epochs: largest number of epochs.
        max_steps: largest number of optimiser steps; null for no limit.
        batch_size: graphs of one optimiser step, over all devices and the `accumulate` parts that it is done in.
        precision: 32, `bf16`, or `f64`, which is for comparisons.
        devices: processes on each node; torchrun and srun know it themselves.
        num_nodes: nodes of a cluster; torchrun and srun know it themselves.
        early_stopping: epochs in a row without a better one after which training ends; null for none.
        monitor: the quantity that decides which epoch is the best: `val/loss`; of a supervised objective `val/auc` or
            `val/accuracy`; without labels `probe/auc` or a figure `ssl/...` of the spread of representations.
        checkpoint_every: steps between checkpoints within an epoch, in addition to the one at its end; null for none.
        keep_epochs: epochs (from 1) whose weights are kept, as `checkpoints/epoch_<n>.ckpt`.
        accumulate: parts that a step is done in, one after another, to save memory.
        log_every: steps between rows of training scalars.
        probe_events: validation events of the linear probe, at most.
        on_collapse: what happens where all representations are the same: `warn` or `stop`.
        static_shapes: pad training batches to one number of graphs, nodes and edges, for steps that are captured and
            replayed; losses, gradients and figures do not change.
        compile: let `torch.compile` make kernels for the backbone in the first step, which takes a minute; the compiled
            operator is then not used.
        strategy: `ddp`, or `fsdp`, which shares out weights and the optimiser's averages over the processes, for
            encoders that are too large for one.
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
        """`min` for losses and for whatever grows when representations collapse, else `max`."""
        return "min" if self.monitor.endswith(("loss", "cosine", "alignment", "uniformity")) else "max"
