"""Two groups of parameters, backbone and head, whose learning rates keep one ratio under every schedule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from root_gnn.config.section import Section

Fraction = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]


class OptimConfig(Section):
    """The `optim` section of a recipe: AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) and its schedule.

    Attributes:
        lr: learning rate of the head.
        backbone_lr_scale: learning rate of the backbone over that of the head; 0 freezes it.
        backbone_ramp: first steps over which the backbone's rate rises linearly from zero.
        weight_decay: weight decay of weight matrices.
        betas: decay rates of AdamW's two moments.
        eps: AdamW's epsilon.
        schedule: `constant`; `cosine`, to zero at the end of training; `exponential`, a factor `gamma` for each epoch.
        warmup: fraction of the training over which the rate rises linearly from zero.
        gamma: factor of the exponential schedule.
        clip_norm: largest norm of the gradient; null for no limit.
    """

    lr: Annotated[float, Field(gt=0)] = 1e-3
    backbone_lr_scale: Fraction = 1.0
    backbone_ramp: Annotated[int, Field(ge=0)] = 0
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0)] = 1e-8
    schedule: Literal["constant", "cosine", "exponential"] = "cosine"
    warmup: Fraction = 0.05
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.99
    clip_norm: Annotated[float, Field(gt=0)] | None = 1.0


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share a learning rate and a weight decay."""

    name: str
    parameters: list[nn.Parameter]
    lr: float
    weight_decay: float

    @property
    def n_parameter(self) -> int:
        """Number of trained parameters."""
        return sum(parameter.numel() for parameter in self.parameters)


def groups(backbone: nn.Module, everything: nn.Module, optim: OptimConfig) -> list[ParameterGroup]:
    """Returns parameter groups of backbone and head, each with and without weight decay; a frozen backbone has none.

    The head is whatever of `everything` is not in `backbone`.
    """
    in_backbone = {id(parameter) for parameter in backbone.parameters()}
    head = [parameter for parameter in everything.parameters() if id(parameter) not in in_backbone]
    parts: list[tuple[str, Iterable[nn.Parameter], float]] = [
        ("backbone", backbone.parameters(), optim.lr * optim.backbone_lr_scale),
        ("head", head, optim.lr),
    ]
    found = []
    for name, parameters, lr in parts:
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        found.append(ParameterGroup(name, [p for p in trained if p.ndim > 1], lr, optim.weight_decay))
        found.append(ParameterGroup(f"{name}_no_decay", [p for p in trained if p.ndim <= 1], lr, 0.0))
    return [group for group in found if group.parameters]


def optimizer(parts: list[ParameterGroup], optim: OptimConfig) -> torch.optim.AdamW:
    """Builds a fused AdamW over the groups."""
    rows: list[dict[str, Any]] = [
        {"params": part.parameters, "lr": part.lr, "weight_decay": part.weight_decay, "name": part.name}
        for part in parts
    ]
    return torch.optim.AdamW(rows, lr=optim.lr, betas=optim.betas, eps=optim.eps, fused=True)


def schedule(optim: OptimConfig, *, n_step: int, steps_per_epoch: int, ramp: int = 0) -> Callable[[int], float]:
    """Returns the factor on the learning rate at an optimiser step, counted from 0.

    A plain function, since Lightning saves the attributes of any other callable in the checkpoint.

    Args:
        optim: the section `optim` of the recipe.
        n_step: number of optimiser steps of the training.
        steps_per_epoch: number of optimiser steps of an epoch.
        ramp: number of steps in which the rate rises from 0.
    """
    n_warmup = round(optim.warmup * n_step)

    def course(step: int) -> float:
        if step < n_warmup:
            return (step + 1) / n_warmup
        if optim.schedule == "constant":
            return 1.0
        if optim.schedule == "exponential":
            return float(optim.gamma ** (step // max(steps_per_epoch, 1)))
        done = (step - n_warmup) / max(n_step - n_warmup, 1)
        return 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))

    return (lambda step: course(step) * min(1.0, (step + 1) / ramp)) if ramp else course


def scheduler(adam: torch.optim.Optimizer, optim: OptimConfig, *, n_step: int, steps_per_epoch: int) -> LambdaLR:
    """Builds one `schedule` for each group of parameters; only the backbone's has the ramp.

    Args:
        adam: the optimiser.
        optim: the section `optim` of the recipe.
        n_step: number of optimiser steps of the training.
        steps_per_epoch: number of optimiser steps of an epoch.
    """
    ramps = [optim.backbone_ramp if str(group["name"]).startswith("backbone") else 0 for group in adam.param_groups]
    return LambdaLR(
        adam, [schedule(optim, n_step=n_step, steps_per_epoch=steps_per_epoch, ramp=ramp) for ramp in ramps]
    )
