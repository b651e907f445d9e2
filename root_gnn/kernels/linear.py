"""The linear layer through oneDNN, in single precision on a processor.

PyTorch multiplies float32 matrices by Intel's MKL, which takes narrower vectors than there are on processors of other makers; oneDNN,
which PyTorch brings for convolutions and for what it compiles, takes the widest ones everywhere. Where it can't be used (another
device or number, autocast, tracing, `torch.backends.mkldnn.enabled = False`, `ROOT_GNN_COMPILED=0`), `linear` is `torch.nn.functional.linear`.
"""

from __future__ import annotations

from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.flop_counter import register_flop_formula

from root_gnn.kernels.library import is_switched_off

LEAST = (
    2**24
)  # multiplications: oneDNN makes a kernel for each new size, which takes as long as it saves in a dozen smaller products
ROWS = 8192  # over so many rows at a time a product of columns stays in cache


class Linear(nn.Linear):
    """`torch.nn.Linear`, same parameters, by `linear`."""

    def forward(self, input: Tensor) -> Tensor:
        """`(..., in_features)` to `(..., out_features)`."""
        return linear(input, self.weight, self.bias)


def linear(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`rows (..., n_in) @ weight (n_out, n_in).T + bias (n_out,)`: `(..., n_out)`; differentiable once where oneDNN does it."""
    if not uses_onednn(rows, weight):
        return F.linear(rows, weight, bias)
    out: Tensor = _Linear.apply(rows.flatten(0, -2), weight, bias)  # type: ignore[no-untyped-call]
    return out.view(*rows.shape[:-1], out.shape[1])


def uses_onednn(rows: Tensor, weight: Tensor) -> bool:
    """Whether oneDNN multiplies `rows (..., n_in)` by `weight (n_out, n_in)`."""
    if (
        rows.device.type != "cpu"
        or not rows.dtype == weight.dtype == torch.float32
        or not (_there and torch.backends.mkldnn.enabled)
        or is_switched_off()
    ):
        return False
    if torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined,no-untyped-call]
        return False
    return prod(rows.shape) * weight.shape[0] >= LEAST  # last: a network that is exported has sizes that nobody knows


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        rows = rows.contiguous()
        ctx.save_for_backward(rows, weight)
        return _product(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        of_rows, of_weight, of_bias = ctx.needs_input_grad
        return (
            _product(gradient, weight.T) if of_rows else None,
            _over_rows(gradient, rows) if of_weight else None,
            gradient.sum(0) if of_bias else None,
        )


def _product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    if not (weight.is_contiguous() or weight.T.is_contiguous()):
        weight = weight.contiguous()  # part of a larger matrix: oneDNN would take a hundred times as long
    out: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return out


def _over_rows(gradient: Tensor, rows: Tensor) -> Tensor:
    """`gradient.T @ rows`, `(n_out, n_in)`, with the wider of the two as the matrix that is laid out anew."""
    wide = rows.shape[1] >= gradient.shape[1]
    parts = zip(torch.split(gradient, ROWS), torch.split(rows, ROWS), strict=True)
    products = (_product(g.T, r.T) if wide else _product(r.T, g.T).T for g, r in parts)
    total = next(products)
    for product in products:
        total += product
    return total


_there = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")  # type: ignore[no-untyped-call]

if _there:

    @register_flop_formula(torch.ops.mkldnn._linear_pointwise)
    def _operations(rows: tuple[int, ...], weight: tuple[int, ...], *_: Any, **__: Any) -> int:
        """What `torch.utils.flop_counter` counts: two operations for each product of numbers."""
        return 2 * prod(rows) * weight[0]
