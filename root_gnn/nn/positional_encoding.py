"""Positional encodings of nodes: angles from a reference node at several scales, and ranks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_order, segment_place, segment_start
from root_gnn.kinematics.angles import delta_phi


class FourierAngles(nn.Module):
    """Sines and cosines of differences in eta and phi, `4 * n_scale + 2` numbers.

    Frequencies are 1, 2, 4, ... per radian: whole numbers, so that a full turn in phi changes nothing. eta has no
    period, so it gets a further frequency of 1/4. Sines come with their cosines, so that no two angles have the same
    encoding.
    """

    def __init__(self, n_scale: int) -> None:
        super().__init__()
        self.n_scale = n_scale
        self.dim = 4 * n_scale + 2

    def forward(self, deta: Tensor, dphi: Tensor) -> Tensor:
        """`deta`, `dphi` `(n,)` to `(n, dim)`."""
        scales = torch.pow(2.0, torch.arange(self.n_scale, device=deta.device)).to(deta.dtype)
        eta = deta.unsqueeze(1) * torch.cat([scales.new_tensor([0.25]), scales])
        phi = dphi.unsqueeze(1) * scales
        return torch.cat([eta.sin(), eta.cos(), phi.sin(), phi.cos()], dim=1)


def first_by(score: Tensor, batch: Batch) -> Tensor:
    """The row of the node with the smallest `score (total_node,)` in each graph, `(n_graph,)`; the first of equals.

    For graphs without nodes the row has no meaning. The batch must have at least one node.
    """
    order = segment_order(score, batch.graph_index)
    return order[segment_start(batch.n_node).clamp(max=batch.total_node - 1)]


def place_by(score: Tensor, batch: Batch) -> Tensor:
    """The rank of each node by ascending `score (total_node,)` within its graph, from 0: `(total_node,)`."""
    order = segment_order(score, batch.graph_index)
    place = segment_place(batch.graph_index, batch.n_node)
    return torch.empty_like(place).index_put((order,), place)


def angles_from(known: Batch, asked: Batch, columns: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
    """Eta and phi of the nodes of `asked` relative to the hardest node of the same graph in `known`, `(total_node,)`.

    `columns` are the indices of pt, eta and phi. Zero for all nodes where `known` has no nodes at all.
    """
    if known.total_node == 0:
        return asked.nodes.new_zeros(asked.total_node), asked.nodes.new_zeros(asked.total_node)
    pt, eta, phi = columns
    centre = known.nodes[first_by(-known.nodes[:, pt], known)][asked.graph_index]
    return asked.nodes[:, eta] - centre[:, eta], delta_phi(asked.nodes[:, phi], centre[:, phi])


def rank_encoding(place: Tensor, dim: int) -> Tensor:
    """Sines and cosines of ranks `place (n,)`, counted from 0: `(n, dim)` with an even `dim`.

    Wavelengths are from 2 pi to 100 times that, after Vaswani et al. 2017 (arXiv:1706.03762).
    """
    scales = torch.exp(torch.arange(dim // 2, device=place.device) * (-math.log(100.0) / max(dim // 2 - 1, 1)))
    angles = place.to(scales.dtype).unsqueeze(1) * scales
    return torch.cat([angles.sin(), angles.cos()], dim=1)
