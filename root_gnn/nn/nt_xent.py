"""The normalised temperature-scaled cross-entropy of pairs of views (Chen et al. 2020, arXiv:2002.05709)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from root_gnn.nn.gather import Gathered, gathered, n_process


def nt_xent(first: Tensor, second: Tensor, *, temperature: float, positive_in_denominator: bool, gather: bool = True) -> Tensor:
    """Mean over both views `(n, dim)` of `n` objects of -log(exp(s_positive / T) / sum exp(s / T)), s the cosine similarity.

    The sum is over all other views of all objects, with `gather` of all processes; without `positive_in_denominator` the object's own other
    view is left out of it too, as the formula of arXiv:2108.04253 says while its code has it in. Computed in float32 at least
    from one matrix of similarities, `(2 n, 2 n_all)`.
    """
    with torch.autocast(first.device.type, enabled=False):
        one, two = _unit(first), _unit(second)
        all_one, all_two = (gathered(view) if gather else Gathered(view, 0) for view in (one, two))
        n, n_all, start = one.shape[0], all_one.rows.shape[0], all_one.start
        if n_all < 2:  # nothing to be different from
            return (one * two).sum() * 0.0
        logits = torch.cat([one, two]) @ torch.cat([all_one.rows, all_two.rows]).T / temperature
        row = torch.arange(2 * n, device=logits.device)
        own = torch.cat([row[:n] + start, row[:n] + start + n_all])
        other = torch.cat([row[:n] + start + n_all, row[:n] + start])
        positive = logits[row, other]
        left_out = (own,) if positive_in_denominator else (own, other)
        for columns in left_out:
            logits = logits.index_put((row, columns), logits.new_tensor(-torch.inf))
        total = torch.logsumexp(logits, dim=1)
        share = n * (n_process() if gather else 1) / n_all  # gradients are averaged over processes, whose numbers of objects may differ
        return (total - positive).mean() * share


def alignment(first: Tensor, second: Tensor) -> Tensor:
    """Mean squared distance of the two unit views `(n, dim)` of an object (Wang, Isola 2020, arXiv:2005.10242)."""
    return (_unit(first) - _unit(second)).square().sum(1).mean()


def uniformity(rows: Tensor) -> Tensor:
    """log of the mean of exp(-2 d^2) over pairs of different unit rows `(n, dim)` (arXiv:2005.10242); the lower the more even."""
    unit = _unit(rows)
    n = unit.shape[0]
    each = torch.exp(4.0 * (unit @ unit.T) - 4.0)  # d^2 = 2 - 2 s
    return torch.log(((each.sum() - each.diagonal().sum()) / max(n * (n - 1), 1)).clamp(min=1e-30))


def _unit(rows: Tensor) -> Tensor:
    return F.normalize(rows if rows.dtype == torch.float64 else rows.float(), dim=1, eps=1e-8)
