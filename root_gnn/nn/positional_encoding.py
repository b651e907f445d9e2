"""Where a node is, told to a network: angles from a node that everybody knows, at several scales."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_order, segment_place, segment_start
from root_gnn.kinematics.angles import delta_phi


class FourierAngles(nn.Module):
    """Sines and cosines of differences in eta and phi, `4 * n_scale + 2` numbers.

    Frequencies are 1, 2, 4, ... per radian: whole numbers, so that a full turn in phi changes nothing. eta has no period, so
    that 1/4 per unit is added for it. Nothing is changed in place, and sines come with their cosines: no two angles look alike.
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

    Meaningless for graphs without nodes, and the batch must have one node at least.
    """
    order = segment_order(score, batch.graph_index)
    return order[segment_start(batch.n_node).clamp(max=batch.total_node - 1)]


def place_by(score: Tensor, batch: Batch) -> Tensor:
    """The place of each node by ascending `score (total_node,)` within its graph, from 0: `(total_node,)`."""
    order = segment_order(score, batch.graph_index)
    place = segment_place(batch.graph_index, batch.n_node)
    return torch.empty_like(place).index_put((order,), place)


def angles_from(known: Batch, asked: Batch, columns: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
    """Differences in eta and phi of `asked`'s nodes from the hardest node of the same graph in `known`, `(total_node,)` each.

    `columns`: where pt, eta and phi are. Zero for all nodes where `known` has no node at all.
    """
    if known.total_node == 0:
        return asked.nodes.new_zeros(asked.total_node), asked.nodes.new_zeros(asked.total_node)
    pt, eta, phi = columns
    centre = known.nodes[first_by(-known.nodes[:, pt], known)][asked.graph_index]
    return asked.nodes[:, eta] - centre[:, eta], delta_phi(asked.nodes[:, phi], centre[:, phi])


def rank_encoding(place: Tensor, dim: int) -> Tensor:
    """Sines and cosines of places `(n,)` counted from 0, wavelengths from 2 pi to 100 times that: `(n, dim)`, `dim` even."""
    scales = torch.exp(torch.arange(dim // 2, device=place.device) * (-math.log(100.0) / max(dim // 2 - 1, 1)))
    angles = place.to(scales.dtype).unsqueeze(1) * scales
    return torch.cat([angles.sin(), angles.cos()], dim=1)
