"""Rows, sums and means over all processes, differentiable in every process."""

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
        del ctx  # nothing is needed for the backward pass
        total = value.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        del ctx
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(gradient)
        return gradient


def n_process() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def summed(value: Tensor) -> Tensor:
    """The sum over all processes of a `value` of one shape; its gradient is summed over all processes, too."""
    if n_process() == 1:
        return value
    total: Tensor = _AllSum.apply(value)  # type: ignore[no-untyped-call]
    return total


def mean_of_all(total: Tensor, n: int | Tensor, *, together: bool, n_all: int | None = None) -> Tensor:
    """This process's share of the mean over the terms of all processes.

    Data-parallel training averages gradients over processes; the average of the shares is the mean over all terms,
    however many each process has.

    Args:
        total: the sum of this process's own terms; 0.0 where it has none.
        n: the number of its own terms.
        together: false for the mean over its own terms alone.
        n_all: the number of terms of all processes, where it is known; else the processes add it up.
    """
    if not together or n_process() == 1:
        return total / (n.clamp(min=1) if isinstance(n, Tensor) else max(n, 1))
    if n_all is not None:
        return total * (n_process() / max(n_all, 1))
    counted = total.new_zeros((), dtype=torch.float64).add_(n)  # adding copies nothing to the device
    dist.all_reduce(counted)
    return total * (n_process() / counted.clamp(min=1.0)).to(total.dtype)


def gathered(rows: Tensor) -> Gathered:
    """The `rows (n_row, dim)` of all processes, which may have different numbers of them.

    The gradient of a row is summed over all processes. A single process gets its own rows back.
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
