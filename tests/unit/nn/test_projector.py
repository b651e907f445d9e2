"""The projector is linear layers, batch norms and GELU in the published order."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from root_gnn.nn.projector import Projector


def test_it_is_linear_norm_gelu_linear() -> None:
    torch.manual_seed(1)
    network, rows = Projector(5, (8, 3), batch_norm=True), torch.randn(20, 5)
    first, norm, _, second = network.layers
    assert isinstance(first, nn.Linear) and isinstance(norm, nn.BatchNorm1d) and isinstance(second, nn.Linear)
    hidden = F.linear(rows, first.weight, first.bias)
    hidden = (hidden - hidden.mean(0)) / (hidden.var(0, unbiased=False) + norm.eps).sqrt()
    expected = F.linear(F.gelu(hidden), second.weight, second.bias)
    torch.testing.assert_close(network(rows), expected, rtol=1e-5, atol=1e-5)


def test_one_layer_is_linear() -> None:
    network, rows = Projector(5, (3,)), torch.randn(4, 5)
    torch.testing.assert_close(network(2.0 * rows) - network(rows), network(rows) - network(0.0 * rows))
