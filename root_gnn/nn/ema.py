"""Exponential moving average of a network: the target of methods that predict their own representations."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn


class Ema(nn.Module):
    """Exponential moving average of a network's weights, without gradients and always in evaluation mode.

    `network` starts as a copy and is changed by `advance` alone. Buffers (running statistics, scales) are copied, not
    averaged.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Ema:
        """Stays in evaluation mode, so that dropout adds no noise to the targets."""
        super().train(mode)
        self.network.eval()
        return self

    @torch.no_grad()
    def advance(self, network: nn.Module, momentum: float) -> None:
        """`momentum * target + (1 - momentum) * network` for every weight, in place."""
        averages: list[Tensor] = list(self.network.parameters())
        values: list[Tensor] = list(network.parameters())
        torch._foreach_lerp_(averages, values, 1.0 - momentum)
        for average, value in zip(self.network.buffers(), network.buffers(), strict=True):
            average.copy_(value)


def cosine_momentum(first: float, last: float, progress: float) -> float:
    """The momentum at `progress` in [0, 1] of the training: from `first` to `last` along half a cosine.

    As in BYOL (Grill et al. 2020, arXiv:2006.07733).
    """
    return last - 0.5 * (last - first) * (1.0 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
