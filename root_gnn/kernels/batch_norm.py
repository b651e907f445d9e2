"""Batch norm that takes a single row, and folds into the linear layer before it in evaluation."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from root_gnn.kernels.linear import linear


def batch_normed(norm: nn.Module, rows: Tensor) -> Tensor:
    """`rows (n_row, dim)` through a `BatchNorm1d`; fewer than two rows are normalised by the running statistics."""
    assert isinstance(norm, nn.BatchNorm1d)
    if rows.shape[0] > 1:
        out: Tensor = norm(rows)
        return out
    return F.batch_norm(rows, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps)


def linear_batch_normed(layer: nn.Module, norm: nn.Module, rows: Tensor) -> Tensor:
    """A linear layer and its batch norm, folded into one layer in evaluation: `(n_row, dim)`."""
    assert isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d)
    if norm.training:
        return batch_normed(norm, layer(rows))
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return linear(rows, layer.weight * scale.unsqueeze(1), (layer.bias - norm.running_mean) * scale + norm.bias)
