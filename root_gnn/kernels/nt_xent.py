"""The contrastive loss of pairs of views and its gradient in one call of the compiled operator."""

from __future__ import annotations

from ctypes import byref, c_double, c_void_p, cast

import torch
from torch import Tensor

from root_gnn.kernels.library import Pairs, library

LOWEST_TEMPERATURE = 1.0 / 30  # exp(similarity / temperature) stays within the range of float32


def compiled_nt_xent(
    first: Tensor, second: Tensor, *, temperature: float, shortest: float, with_gradient: bool, form: str = ""
) -> tuple[Tensor, Tensor | None]:
    """The mean loss of the views `(n, dim)`, and its gradient `(2 n, dim)` with respect to both, one after the other.

    Needs `fused.can_fuse(first, dim)` and at least two objects. Raises RuntimeError without the compiled operator.

    Args:
        first: one view of each object, `(n, dim)`.
        second: the other view of each object, `(n, dim)`.
        temperature: at least `LOWEST_TEMPERATURE`.
        shortest: rows are divided by at least this length.
        with_gradient: whether the gradient is computed.
        form: the instruction set; empty for the best one.
    """
    operator = library()
    if operator is None:
        raise RuntimeError("the compiled operator is not available; check can_fuse() first")
    n, dim = first.shape
    first, second = first.contiguous(), second.contiguous()
    loss, gradient = c_double(), first.new_empty(2 * n, dim) if with_gradient else None
    job = Pairs(
        n=n,
        dim=dim,
        temperature=temperature,
        shortest=shortest,
        first=first.data_ptr(),
        second=second.data_ptr(),
        loss=cast(byref(loss), c_void_p),
        gradient=None if gradient is None else gradient.data_ptr(),
    )
    operator.nt_xent(job, form=form)
    return torch.tensor(loss.value, dtype=first.dtype), gradient
