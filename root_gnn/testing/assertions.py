"""Assertions shared by the conformance checks; each failure is an AssertionError with a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch

M = TypeVar("M", bound=nn.Module)


def require(holds: bool, text: str) -> None:
    """Raises AssertionError with `text` unless `holds`."""
    if not holds:
        raise AssertionError(text)


def require_same(text: str, expected: Sequence[Tensor], got: Sequence[Tensor], tolerance: float) -> None:
    """Raises AssertionError where tensors differ by more than `tolerance * (1 + largest expected value)`."""
    for a, b in zip(expected, got, strict=True):
        require(a.shape == b.shape, f"{text}: {tuple(a.shape)} and {tuple(b.shape)}")
        difference = float((a.detach().double() - b.detach().double()).abs().max()) if a.numel() else 0.0
        scale = float(a.detach().double().abs().max()) if a.numel() else 0.0
        require(difference <= tolerance * (1.0 + scale), f"{text}: by {difference:.2e}")


def require_finite(text: str, *tensors: Tensor) -> None:
    """Raises AssertionError where a tensor has NaN or infinite values."""
    require(all(bool(torch.isfinite(tensor).all()) for tensor in tensors), f"NaN or infinity: {text}")


def require_gradients(module: nn.Module, scalar: Callable[[], Tensor]) -> None:
    """Raises AssertionError where a parameter gets no gradient, or not a finite one, from `scalar()`."""
    with torch_seed(5):
        scalar().backward()  # type: ignore[no-untyped-call]
    for name, parameter in module.named_parameters():
        require(
            parameter.grad is not None and bool((parameter.grad != 0).any()), f"the parameter {name} gets no gradient"
        )
        if parameter.grad is not None:
            require_finite(f"the gradient of {name}", parameter.grad)
    module.zero_grad()


def build_seeded(make: Callable[[], M], *, seed: int) -> M:
    """Returns `make()`, called with torch's generator at `seed`; the generator's state is restored."""
    with torch_seed(seed):
        return make()


@contextmanager
def torch_seed(seed: int) -> Iterator[None]:
    """Sets torch's CPU generator to `seed` inside the block, and restores its state behind it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def representations(batch: Batch) -> list[Tensor]:
    """Returns the representations of nodes and of graphs."""
    return [batch.nodes, batch.globals]


def tensor_values(batch: Batch) -> list[Tensor]:
    """Returns copies of all tensors of a batch: features, sizes, weights, ids, edges, labels."""
    optional = [
        tensor
        for tensor in (batch.weights, batch.ids, batch.senders, batch.receivers, batch.edges)
        if tensor is not None
    ]
    return [
        tensor.detach().clone()
        for tensor in (batch.nodes, batch.globals, batch.n_node, *optional, *batch.labels.values())
    ]


def scalar_of_batch(batch: Batch) -> Tensor:
    """Returns one number to which every entry of `nodes` and `globals` contributes."""
    return scalar_of_rows(batch.nodes.float()) + scalar_of_rows(batch.globals.float())


def scalar_of_rows(rows: Tensor) -> Tensor:
    """Returns the sum of all entries, each with a random weight of its own, so that gradients do not cancel."""
    generator = torch.Generator().manual_seed(11)
    return (rows * torch.randn(rows.shape, generator=generator).to(rows)).sum()
