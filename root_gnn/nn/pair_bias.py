"""The bias of attention from features of each pair of particles (Qu, Li, Qian 2022, arXiv:2202.03772).

The features are symmetric and padding has none, so they are computed and embedded once per batch, for the lower
triangle of each graph's own pairs, including each node with itself. As in the paper, angles are between rapidities.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.graph.segment import segment_start
from root_gnn.kernels.batch_norm import batch_normed, linear_batch_normed
from root_gnn.kernels.linear import Linear
from root_gnn.kinematics.object_pairs import pairs_by_rapidity, rapidity_kinematics
from root_gnn.kinematics.pairs import compute_pair_features
from root_gnn.nn.buckets import Bucket, Buckets


class PairBias(nn.Module):
    """Pair features through linear layers to one number for each attention head.

    Args:
        features: which node columns hold pt, eta, phi and energy.
        scaling: the fitted scales of pair features.
        n_head: number of attention heads.
        names: the pair features, symmetric ones.
        hidden: widths of the layers before the last.
        batch_norm: batch norms on the features and after each layer, as published, instead of the fitted scales.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        features: Features,
        scaling: Scaling,
        n_head: int,
        *,
        names: Sequence[str],
        hidden: tuple[int, ...],
        batch_norm: bool,
    ) -> None:
        super().__init__()
        self.kinematic = [features.column(name) for name in ("pt", "eta", "phi", "energy")]
        self.names = tuple(names)
        affine = [Affine("linear", 0.0, 1.0) if batch_norm else scaling.pair(name) for name in names]
        self.register_buffer("mean", torch.tensor([numbers.mean for numbers in affine]))
        self.register_buffer("std", torch.tensor([numbers.std for numbers in affine]))
        widths = (len(names), *hidden, n_head)
        self.layers = nn.ModuleList(
            # softmax does not change where all logits of a query move alike, so the last layer needs no offset
            Linear(a, b, bias=batch_norm or k < len(hidden))
            for k, (a, b) in enumerate(itertools.pairwise(widths))
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in widths) if batch_norm else None

    def forward(self, batch: Batch, buckets: Buckets) -> tuple[Tensor, ...]:
        """The bias `(n_pair, n_head)` of each bucket, its graphs and their pairs in the order of `lower_pairs`."""
        first, second = lower_pairs(buckets.n_node, batch.total_node, sum(buckets.n_pair))
        objects = rapidity_kinematics(batch.nodes[:, self.kinematic][buckets.nodes])
        pairs = pairs_by_rapidity(objects[first], objects[second])
        return torch.split(self.embed(compute_pair_features(pairs, self.names)), buckets.n_pair)

    def embed(self, rows: Tensor) -> Tensor:
        """Pair features `(n_pair, n_name)` to `(n_pair, n_head)`."""
        rows = (rows - self.mean) / self.std
        if self.norms is not None:
            rows = batch_normed(self.norms[0], rows)
        for k, layer in enumerate(self.layers):
            rows = F.gelu(rows) if k > 0 else rows
            rows = layer(rows) if self.norms is None else linear_batch_normed(layer, self.norms[k + 1], rows)
        return rows


def lower_pairs(n_node: Tensor, total_node: int, n_pair: int) -> tuple[Tensor, Tensor]:
    """Rows of both nodes of each pair, `(n_pair,)` each: for every node in turn, those of its graph up to itself.

    `n_node (n_graph,)` are the sizes of consecutive graphs, `total_node` and `n_pair` the sums over all of them.
    """
    start = torch.repeat_interleave(segment_start(n_node), n_node, output_size=total_node)
    n_before = torch.arange(total_node, device=n_node.device) - start + 1
    first = torch.repeat_interleave(n_before, output_size=n_pair)
    second = start[first] + torch.arange(n_pair, device=n_node.device) - segment_start(n_before)[first]
    return first, second


def dense_bias(bias: Tensor, bucket: Bucket) -> Tensor:
    """The bias of a bucket's attention, `(n_graph, n_head, length, length)`, with -inf for padded keys.

    `bias (n_pair, n_head)` is the part of `PairBias` for this bucket. A padded query attends to all real keys, with a
    bias without meaning, so that no row of the softmax is empty.
    """
    position = torch.arange(bucket.length, device=bias.device)
    larger, smaller = torch.maximum(position[:, None], position), torch.minimum(position[:, None], position)
    start = segment_start(bucket.n_node * (bucket.n_node + 1) // 2)
    row = start[:, None, None] + larger * (larger + 1) // 2 + smaller
    is_pair = bucket.mask[:, :, None] & bucket.mask[:, None, :]
    dense = bias[torch.where(is_pair, row, 0)].masked_fill(~bucket.mask[:, None, :, None], -torch.inf)
    return dense.permute(0, 3, 1, 2).contiguous()
