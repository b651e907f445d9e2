"""Training with a backbone whose forward and backward passes are compiled by `torch.compile`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from root_gnn.errors import InputError
from root_gnn.protocols import Encoder


@contextmanager
def compiled(encoder: Encoder, *, fixed_shapes: bool) -> Iterator[None]:
    """Compiles `encoder` inside the block for passes with gradients; validation runs the plain forward.

    With `fixed_shapes` kernels are made for one size of batch, otherwise for any. Random numbers are PyTorch's own
    ones. Raises InputError where there is no C++ compiler and no GPU.
    """
    _check_compiler()
    plain = encoder.forward
    fast = torch.compile(plain, dynamic=not fixed_shapes, options={"fallback_random": True})

    def forward(*arguments: Any, **options: Any) -> Any:
        return (fast if torch.is_grad_enabled() else plain)(*arguments, **options)

    encoder.forward = forward  # type: ignore[method-assign]
    try:
        yield
    finally:
        del encoder.forward  # the method of its class is there again


def _check_compiler() -> None:
    if torch.cuda.is_available():
        return  # kernels are made by Triton, which PyTorch brings
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        raise InputError(
            "train.compile is true, and there is no C++ compiler, which it needs on a "
            "processor: install g++ or clang++, "
            "or leave it out."
        ) from error
