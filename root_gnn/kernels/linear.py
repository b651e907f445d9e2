"""The linear layer by oneDNN, in single precision on a CPU.

PyTorch multiplies float32 matrices by Intel's MKL, which does not use the widest vectors of processors of other makers;
oneDNN, which PyTorch ships for convolutions and for compiled code, uses them everywhere. Where it can't run (another
device or type, autocast, tracing, `torch.backends.mkldnn.enabled = False`, `ROOT_GNN_COMPILED=0`), `linear` is
`torch.nn.functional.linear`.
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

# Multiplications from which oneDNN is used: it compiles a kernel for each new size, which takes as long as it saves in
# a dozen smaller products.
LEAST = 2**24
ROWS = 8192  # a product of columns over so many rows at a time stays in cache


class Linear(nn.Linear):
    """`torch.nn.Linear`, same parameters, by `linear`."""

    def forward(self, input: Tensor) -> Tensor:
        """`(..., in_features)` to `(..., out_features)`."""
        return linear(input, self.weight, self.bias)


def linear(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`rows (..., n_in) @ weight (n_out, n_in).T + bias (n_out,)`: `(..., n_out)`; differentiable once by oneDNN."""
    if not uses_onednn(rows, weight):
        return F.linear(rows, weight, bias)
    out: Tensor = _Linear.apply(rows.flatten(0, -2), weight, bias)  # type: ignore[no-untyped-call]
    return out.view(*rows.shape[:-1], out.shape[1])


def uses_onednn(rows: Tensor, weight: Tensor) -> bool:
    """Whether oneDNN multiplies `rows (..., n_in)` by `weight (n_out, n_in)`."""
    if (
        rows.device.type != "cpu"
        or not rows.dtype == weight.dtype == torch.float32
        or not (_AVAILABLE and torch.backends.mkldnn.enabled)
        or is_switched_off()
    ):
        return False
    is_tracing = torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
    if torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling() or is_tracing:
        return False
    return prod(rows.shape) * weight.shape[0] >= LEAST  # last, since the sizes of an exported network are symbolic


class _Linear(torch.autograd.Function):
    """The product by oneDNN with its gradients."""

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
        weight = weight.contiguous()  # a slice of a larger matrix would take oneDNN a hundred times as long
    out: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return out


def _over_rows(gradient: Tensor, rows: Tensor) -> Tensor:
    """`gradient.T @ rows`, `(n_out, n_in)`, with the wider of the two as the matrix that oneDNN reorders."""
    wide = rows.shape[1] >= gradient.shape[1]
    parts = zip(torch.split(gradient, ROWS), torch.split(rows, ROWS), strict=True)
    products = (_product(g.T, r.T) if wide else _product(r.T, g.T).T for g, r in parts)
    total = next(products)
    for product in products:
        total += product
    return total


_HAS_ONEDNN = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
_AVAILABLE = _HAS_ONEDNN and hasattr(torch.ops.mkldnn, "_linear_pointwise")

if _AVAILABLE:

    @register_flop_formula(torch.ops.mkldnn._linear_pointwise)
    def _operations(rows: tuple[int, ...], weight: tuple[int, ...], *_: Any, **__: Any) -> int:
        """Operations for `torch.utils.flop_counter`: two for each product of numbers."""
        return 2 * prod(rows) * weight[0]
