"""The edge convolution against its formula, written as a loop."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("torch_geometric")

from root_gnn.nn.edge_conv_pyg import ResidualEdgeConv


def test_it_is_the_mean_over_neighbours_of_the_network_of_both_ends() -> None:
    torch.manual_seed(1)
    layer = ResidualEdgeConv(4, n_layer=2, activation="gelu").double()
    nodes = torch.randn(5, 4, dtype=torch.float64)
    senders, receivers = torch.tensor([1, 2, 0, 4]), torch.tensor([0, 0, 1, 3])
    expected = nodes.clone()
    for i in range(5):
        neighbours = senders[receivers == i]
        messages = [layer.convolution.nn(torch.cat([nodes[i], nodes[j] - nodes[i]])[None]) for j in neighbours]
        if messages:
            expected[i] = nodes[i] + torch.cat(messages).mean(0)
    torch.testing.assert_close(layer(nodes, senders, receivers), expected)
