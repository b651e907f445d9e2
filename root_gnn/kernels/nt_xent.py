"""The contrastive loss of pairs of views among themselves and its gradient, in one call of the compiled operator."""

from __future__ import annotations

from ctypes import byref, c_double, c_void_p, cast

import torch
from torch import Tensor

from root_gnn.kernels.library import Pairs, library

LOWEST_TEMPERATURE = 1.0 / 30  # exp(similarity / temperature) stays a number of single precision


def compiled_nt_xent(
    first: Tensor, second: Tensor, *, temperature: float, shortest: float, with_gradient: bool, form: str = ""
) -> tuple[Tensor, Tensor | None]:
    """The mean loss of the views `(n, dim)`, and its gradient `(2 n, dim)` with respect to both, one after the other.

    Rows shorter than `shortest` are divided by that. Needs `fused.runs(first, dim)`, a second pair, and a temperature of at least
    `LOWEST_TEMPERATURE`; `form` asks for an instruction set.
    """
    found = library()
    if found is None:
        raise RuntimeError("the compiled operator is not there; ask runs() first")
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
    found.nt_xent(job, form=form)
    return torch.tensor(loss.value, dtype=first.dtype), gradient
