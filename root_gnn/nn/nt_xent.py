"""The normalised temperature-scaled cross-entropy of pairs of views (Chen et al. 2020, arXiv:2002.05709)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from root_gnn.kernels.fused import can_fuse
from root_gnn.kernels.linear import linear
from root_gnn.kernels.nt_xent import LOWEST_TEMPERATURE
from root_gnn.kernels.nt_xent import compiled_nt_xent as compiled
from root_gnn.nn.distributed import Gathered, gathered, n_process
from root_gnn.nn.float32 import at_least_float32

AT_A_TIME = 2**20  # similarities that are in memory at once
SHORTEST = 1e-8  # rows are divided by at least this length


def nt_xent(
    first: Tensor, second: Tensor, *, temperature: float, positive_in_denominator: bool, gather: bool = True
) -> Tensor:
    """Mean over all views of -log(exp(s_positive / T) / sum exp(s / T)) with the cosine similarity s.

    Computed in at least float32, from a few rows of the matrix of similarities `(2 n, 2 n_all)` at a time;
    differentiable once.

    Args:
        first: one view of each object, `(n, dim)`.
        second: the other view of each object, `(n, dim)`.
        temperature: T.
        positive_in_denominator: whether the sum, over all other views of all objects, includes the object's own other
            view; the formula of arXiv:2108.04253 leaves it out, its code has it.
        gather: whether the sum is over the objects of all processes.
    """
    n, alone = first.shape[0], not gather or n_process() == 1
    with torch.autocast(first.device.type, enabled=False):
        if alone and positive_in_denominator and temperature >= LOWEST_TEMPERATURE and n > 1 and 4 * n * n <= AT_A_TIME:
            one, two = at_least_float32(first), at_least_float32(second)
            if can_fuse(one, one.shape[1]):
                return _Compiled.apply(one, two, temperature)  # type: ignore[no-untyped-call, no-any-return]
        one, two = _unit(first), _unit(second)
        all_one, all_two = (gathered(view) if gather else Gathered(view, 0) for view in (one, two))
        n_all, start = all_one.rows.shape[0], all_one.start
        if n_all < 2:  # there is no other object to contrast with
            return (one * two).sum() * 0.0
        column = torch.arange(start, start + n, device=one.device)
        own, other = torch.cat([column, column + n_all]), torch.cat([column + n_all, column])
        rows, every = torch.cat([one, two]) / temperature, torch.cat([all_one.rows, all_two.rows])
        apply: Any = _MeanLoss.apply
        loss: Tensor = apply(rows, every, own, other, positive_in_denominator)
        # gradients are averaged over processes, whose numbers of objects may differ
        share = n * (n_process() if gather else 1) / n_all
        return loss * share


class _MeanLoss(torch.autograd.Function):
    """Mean over `rows (m, dim)` of log sum exp(row . column) over columns minus row . (the row's positive column).

    The columns are `every (k, dim)`; `other (m,)` is the positive column of each row, and its own column `own (m,)` is
    left out of the sum. The forward pass computes the gradient too, from the same similarities, so that none has to be
    stored.
    """

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, every: Tensor, own: Tensor, other: Tensor, positive_in_denominator: bool
    ) -> Tensor:
        """The loss.

        Args:
            ctx: where the gradient is stored.
            rows: `(m, dim)`, divided by the temperature.
            every: the columns, `(k, dim)`.
            own: the column of each row itself, `(m,)`.
            other: the positive column of each row, `(m,)`.
            positive_in_denominator: whether the sum includes the positive column.
        """
        loss, of_rows, of_columns = rows.new_zeros(()), [], torch.zeros_like(every.T)
        size = max(AT_A_TIME // every.shape[0], 1)
        parts = (torch.split(part, size) for part in (rows, own.unsqueeze(1), other.unsqueeze(1)))
        for some, itself, partner in zip(*parts, strict=True):
            logits = linear(some, every).scatter_(1, itself, -torch.inf)
            positive = logits.gather(1, partner)
            if not positive_in_denominator:
                logits.scatter_(1, partner, -torch.inf)
            shares = logits.softmax(1)
            # log sum exp = largest logit - log of its softmax, which is the largest share
            loss += (logits.amax(1, keepdim=True) - positive - shares.amax(1, keepdim=True).log()).sum()
            if any(ctx.needs_input_grad):
                shares.scatter_add_(1, partner, shares.new_full((), -1.0).expand(partner.shape))
                of_rows.append(linear(shares, every.T))
                of_columns += linear(some.T, shares.T)
        if of_rows:
            ctx.save_for_backward(torch.cat(of_rows) / len(rows), of_columns.T / len(rows))
        return loss / len(rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        of_rows, of_every = ctx.saved_tensors
        return of_rows * gradient, of_every * gradient, None, None, None


class _Compiled(torch.autograd.Function):
    """The loss of the views `(n, dim)` of one process by the compiled operator, which computes the gradient with it."""

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor, temperature: float) -> Tensor:
        loss, gradient = compiled(
            first,
            second,
            temperature=temperature,
            shortest=SHORTEST,
            with_gradient=any(ctx.needs_input_grad),
        )
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (of_rows,) = ctx.saved_tensors
        return *(of_rows * gradient).chunk(2), None


def alignment(first: Tensor, second: Tensor) -> Tensor:
    """Mean squared distance of the two unit views `(n, dim)` of an object (Wang, Isola 2020, arXiv:2005.10242)."""
    return (_unit(first) - _unit(second)).square().sum(1).mean()


def uniformity(rows: Tensor) -> Tensor:
    """Log of the mean of exp(-2 d^2) over pairs of different unit rows `(n, dim)`; lower is more uniform.

    Wang, Isola 2020, arXiv:2005.10242.
    """
    unit = _unit(rows)
    n = unit.shape[0]
    each = torch.exp(4.0 * (unit @ unit.T) - 4.0)  # d^2 = 2 - 2 s
    return torch.log(((each.sum() - each.diagonal().sum()) / max(n * (n - 1), 1)).clamp(min=1e-30))


def _unit(rows: Tensor) -> Tensor:
    return F.normalize(at_least_float32(rows), dim=1, eps=SHORTEST)
