"""Terms that keep representations from falling together (VICReg, Bardes, Ponce, LeCun 2022, arXiv:2105.04906)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def variance_term(rows: Tensor) -> Tensor:
    """Mean over features of max(0, 1 - std), std over the `rows (n_row, dim)` of the whole batch."""
    if rows.shape[0] < 2:
        return rows.sum() * 0.0
    return F.relu(1.0 - torch.sqrt(rows.var(0) + 1e-4)).mean()


def covariance_term(rows: Tensor) -> Tensor:
    """Sum of squares of the covariances of different features of `rows (n_row, dim)`, over dim."""
    if rows.shape[0] < 2:
        return rows.sum() * 0.0
    centred = rows - rows.mean(0)
    covariance = centred.T @ centred / (rows.shape[0] - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / rows.shape[1]
