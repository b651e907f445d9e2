"""Terms that prevent the collapse of representations (VICReg, Bardes, Ponce, LeCun 2022, arXiv:2105.04906).

With `together`, the rows of all processes count as one batch: processes exchange sums, not rows, and all have to call
the function.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from root_gnn.nn.distributed import n_process, summed

FEATURE_EPS = 1e-5


def variance_term(rows: Tensor, *, together: bool = False) -> Tensor:
    """Mean over features of max(0, 1 - std), std over the `rows (n_row, dim)` of the whole batch."""
    if _alone(together):
        if rows.shape[0] < 2:
            return rows.sum() * 0.0
        variance = rows.var(0)
    else:
        n_all, centred = _centred(rows)
        variance = summed(centred.square().sum(0)) / (n_all - 1.0).clamp(min=1.0)
    return F.relu(1.0 - torch.sqrt(variance + 1e-4)).mean()


def covariance_term(rows: Tensor, *, together: bool = False) -> Tensor:
    """Sum of squares of the covariances of different features of `rows (n_row, dim)`, over dim."""
    if _alone(together):
        if rows.shape[0] < 2:
            return rows.sum() * 0.0
        centred = rows - rows.mean(0)
        covariance = centred.T @ centred / (rows.shape[0] - 1)
    else:
        n_all, centred = _centred(rows)
        covariance = summed(centred.T @ centred) / (n_all - 1.0).clamp(min=1.0)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / rows.shape[1]


def even_features(rows: Tensor, *, together: bool = False) -> Tensor:
    """The `rows (n_row, dim)` with each feature standardised to mean 0 and variance 1; a single row is unchanged."""
    if _alone(together):
        return F.batch_norm(rows, None, None, training=True, eps=FEATURE_EPS) if rows.shape[0] > 1 else rows
    n_all, centred = _centred(rows)
    even = centred * torch.rsqrt(summed(centred.square().sum(0)) / n_all + FEATURE_EPS)
    return torch.where(n_all > 1.0, even, rows)


def _alone(together: bool) -> bool:
    return not together or n_process() == 1


def _centred(rows: Tensor) -> tuple[Tensor, Tensor]:
    """The number of rows of all processes, and the rows of this one minus the mean of all."""
    n_all = summed(rows.new_full((), float(rows.shape[0]))).clamp(min=1.0)
    return n_all, rows - summed(rows.sum(0)) / n_all
