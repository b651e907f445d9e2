"""Rows, sums and means over all processes, with gradients that find their way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable


@dataclass(frozen=True)
class Gathered:
    """`rows (n_all, dim)` of all processes in order of rank; this one's start at `start`."""

    rows: Tensor
    start: int


class _AllGather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.n_row = rows.shape[0]
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(gradient)
        first = dist.get_rank() * ctx.n_row
        return gradient[first : first + ctx.n_row]


class _AllSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(gradient)
        return gradient


def n_process() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def summed(value: Tensor) -> Tensor:
    """The sum over all processes of a `value` of one shape; the gradient is the sum over what every process made of it."""
    if n_process() == 1:
        return value
    total: Tensor = _AllSum.apply(value)  # type: ignore[no-untyped-call]
    return total


def mean_of_all(total: Tensor, n: int | Tensor, *, together: bool, n_all: int | None = None) -> Tensor:
    """This process's part in the mean over the terms of all processes; `total` is the sum of its own `n`, and 0.0 where there are none.

    The mean over processes of the parts, which is what becomes of their gradients, is the mean over all terms, however many
    each has. Not `together`, a process has the mean of its own. `n_all` is the number of terms of all processes where it is
    known already; else they ask each other, and wait for the last.
    """
    if not together or n_process() == 1:
        return total / (n.clamp(min=1) if isinstance(n, Tensor) else max(n, 1))
    if n_all is not None:
        return total * (n_process() / max(n_all, 1))
    counted = total.new_zeros((), dtype=torch.float64).add_(n)  # nothing is copied to the device
    dist.all_reduce(counted)
    return total * (n_process() / counted.clamp(min=1.0)).to(total.dtype)


def gathered(rows: Tensor) -> Gathered:
    """The `rows (n_row, dim)` of all processes, which may have different numbers of them.

    The gradient of a row is the sum over what every process made of it. Alone, a process gets its own rows back.
    """
    if n_process() == 1:
        return Gathered(rows, 0)
    own = torch.tensor([rows.shape[0]], device=rows.device)
    counts = [torch.empty_like(own) for _ in range(n_process())]
    dist.all_gather(counts, own)
    sizes = torch.cat(counts).tolist()  # waits for the device: the sizes decide shapes
    longest = max(sizes)
    padded = torch.cat([rows, rows.new_zeros(longest - rows.shape[0], rows.shape[1])])
    together: Tensor = _AllGather.apply(padded)  # type: ignore[no-untyped-call]
    parts = [part[:size] for part, size in zip(torch.split(together, longest), sizes, strict=True)]
    return Gathered(torch.cat(parts), sum(sizes[: dist.get_rank()]))
