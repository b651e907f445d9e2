"""The edge convolution of PyTorch Geometric (Wang et al. 2019, arXiv:1801.07829)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from root_gnn.errors import MissingExtraError
from root_gnn.nn.mlp import MLP, ActivationName

try:
    from torch_geometric.nn import EdgeConv
except ImportError as error:
    raise MissingExtraError("torch_geometric", "pyg", "the model edge_conv") from error


class ResidualEdgeConv(nn.Module):
    """`h_i + mean over neighbours j of MLP[h_i, h_j - h_i]`; a node without neighbours stays as it is."""

    def __init__(self, dim: int, *, n_layer: int, activation: ActivationName) -> None:
        super().__init__()
        self.convolution = EdgeConv(MLP((dim, dim), dim, n_layer=n_layer, activation=activation), aggr="mean")

    def forward(self, nodes: Tensor, senders: Tensor, receivers: Tensor) -> Tensor:
        """`nodes (total_node, dim)` and the ends of the edges `(n_edge,)` to `(total_node, dim)`."""
        update: Tensor = self.convolution(nodes, torch.stack([senders, receivers]))
        return nodes + update
