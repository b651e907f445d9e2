"""Batch norm of few rows, and folded into the linear layer before it."""

from __future__ import annotations

import torch
from torch import nn

from root_gnn.kernels.batch_norm import batch_normed, linear_batch_normed


def a_trained_norm(dim: int) -> nn.BatchNorm1d:
    torch.manual_seed(1)
    norm = nn.BatchNorm1d(dim).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    for _ in range(5):
        norm(3.0 * torch.randn(40, dim, dtype=torch.float64) + 2.0)
    return norm


def test_one_row_and_none_are_normalised_by_the_running_numbers_in_training_too() -> None:
    norm = a_trained_norm(4)
    rows = torch.randn(1, 4, dtype=torch.float64)
    assert norm.running_mean is not None and norm.running_var is not None
    before = norm.running_mean.clone()
    expected = (rows - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
    torch.testing.assert_close(batch_normed(norm, rows), expected)
    assert batch_normed(norm, rows[:0]).shape == (0, 4)
    assert torch.equal(norm.running_mean, before)


def test_folding_into_the_layer_is_the_layer_and_then_the_norm() -> None:
    norm, layer = a_trained_norm(4), nn.Linear(3, 4).double()
    rows = torch.randn(9, 3, dtype=torch.float64)
    torch.testing.assert_close(linear_batch_normed(layer, norm.eval(), rows), norm(layer(rows)))
    trained = linear_batch_normed(layer, norm.train(), rows)
    torch.testing.assert_close(trained.mean(0), norm.bias, rtol=1e-9, atol=1e-9)
