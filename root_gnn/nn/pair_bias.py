"""What attention is told about every pair of particles: ln kT, ln z, ln dR, ln m^2 (Qu, Li, Qian 2022, arXiv:2202.03772).

The features are symmetric and a padded place has none, so they are computed and embedded once a batch, for the lower
triangle of each graph's own pairs, a node with itself included. As in the paper angles are between rapidities.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.graph.segment import segment_start
from root_gnn.kernels.batch_norm import batch_normed, linear_batch_normed
from root_gnn.kernels.linear import Linear
from root_gnn.kinematics.angles import delta_phi
from root_gnn.kinematics.pairs import EPSILON, LARGEST, LARGEST_DELTA_ETA
from root_gnn.nn.buckets import Bucket, Buckets

BRANCHING = ("ln_kt", "ln_z", "ln_dr", "ln_m2")


class PairBias(nn.Module):
    """Pair features through linear layers to one number a head, `hidden` wide between.

    Args:
        batch_norm: batch norms on the features and after each layer, as published, instead of the fitted scales.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, features: Features, scaling: Scaling, n_head: int, *, hidden: tuple[int, ...], batch_norm: bool
    ) -> None:
        super().__init__()
        self.kinematic = [features.column(name) for name in ("pt", "eta", "phi", "energy")]
        affine = (
            [Affine("linear", 0.0, 1.0)] * len(BRANCHING)
            if batch_norm
            else [_affine(scaling.edges, name) for name in BRANCHING]
        )
        self.register_buffer("mean", torch.tensor([numbers.mean for numbers in affine]))
        self.register_buffer("std", torch.tensor([numbers.std for numbers in affine]))
        widths = (len(BRANCHING), *hidden, n_head)
        self.layers = nn.ModuleList(
            # attention does not see what is added to all of its logits alike, so the last layer needs no offset
            Linear(a, b, bias=batch_norm or k < len(hidden))
            for k, (a, b) in enumerate(itertools.pairwise(widths))
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in widths) if batch_norm else None

    def forward(self, batch: Batch, buckets: Buckets) -> tuple[Tensor, ...]:
        """`(n_pair, n_head)` for each bucket, its graphs and their pairs in the order of `lower_pairs`."""
        first, second = lower_pairs(buckets.n_node, batch.total_node, sum(buckets.n_pair))
        particles = momenta(batch.nodes[:, self.kinematic][buckets.nodes])
        return torch.split(self.embed(branching(particles, first, second)), buckets.n_pair)

    def embed(self, rows: Tensor) -> Tensor:
        """Pair features `(n_pair, 4)` to `(n_pair, n_head)`."""
        rows = (rows - self.mean) / self.std
        if self.norms is not None:
            rows = batch_normed(self.norms[0], rows)
        for k, layer in enumerate(self.layers):
            rows = F.gelu(rows) if k > 0 else rows
            rows = layer(rows) if self.norms is None else linear_batch_normed(layer, self.norms[k + 1], rows)
        return rows


def _affine(fitted: Mapping[str, Affine], name: str) -> Affine:
    """The fitted scale; what the fit does not know (the angle's logarithm) is of order one around -1."""
    return fitted.get(name, Affine("linear", -1.0, 1.0) if name == "ln_dr" else Affine("linear", 0.0, 1.0))


def lower_pairs(n_node: Tensor, total_node: int, n_pair: int) -> tuple[Tensor, Tensor]:
    """Rows of both nodes of each pair, `(n_pair,)` each: for every node in turn, those of its graph up to itself.

    `n_node (n_graph,)` counts the nodes of graphs that stand one after the other, `total_node` and `n_pair` all of theirs.
    """
    start = torch.repeat_interleave(segment_start(n_node), n_node, output_size=total_node)
    n_before = torch.arange(total_node, device=n_node.device) - start + 1
    first = torch.repeat_interleave(n_before, output_size=n_pair)
    second = start[first] + torch.arange(n_pair, device=n_node.device) - segment_start(n_before)[first]
    return first, second


def dense_bias(bias: Tensor, bucket: Bucket) -> Tensor:
    """The bias of a bucket's attention, `(n_graph, n_head, length, length)`: that of each pair, and -inf for padded keys.

    `bias (n_pair, n_head)` is the bucket's own of `PairBias`. A padded query sees all real keys, with a bias of no meaning,
    so no row is empty.
    """
    place = torch.arange(bucket.length, device=bias.device)
    larger, smaller = torch.maximum(place[:, None], place[None, :]), torch.minimum(place[:, None], place[None, :])
    start = segment_start(bucket.n_node * (bucket.n_node + 1) // 2)
    row = start[:, None, None] + larger * (larger + 1) // 2 + smaller
    is_pair = bucket.mask[:, :, None] & bucket.mask[:, None, :]
    dense = bias[torch.where(is_pair, row, 0)].masked_fill(~bucket.mask[:, None, :, None], -torch.inf)
    return dense.permute(0, 3, 1, 2).contiguous()


def momenta(kinematics: Tensor) -> Tensor:
    """pt, rapidity, phi, mass^2 and mT - pt of `(n_node, 4)` = pt, eta, phi, energy: `(n_node, 5)`; GeV, radians.

    In double precision, as energy less momentum is a small difference of two large numbers.
    """
    pt, eta, phi, energy = kinematics.double().unbind(1)
    pt, energy = pt.clamp(0.0, LARGEST), energy.clamp(max=LARGEST)
    eta = eta.clamp(-LARGEST_DELTA_ETA, LARGEST_DELTA_ETA)
    momentum = (pt * eta.cosh()).clamp(max=LARGEST)
    mass2 = (energy - momentum).clamp(min=0.0) * (energy + momentum)
    transverse = torch.sqrt((pt * pt + mass2).clamp(min=EPSILON * EPSILON))
    rapidity = torch.asinh(pt * eta.sinh() / transverse)
    return torch.stack([pt, rapidity, phi, mass2, mass2 / (transverse + pt)], dim=1).to(kinematics.dtype)


def branching(particles: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """The features `BRANCHING` of pairs of `momenta (n_node, 5)`: `(n_pair, 4)`.

    m^2 is a sum of terms that are all >= 0, so nothing cancels in single precision.
    """
    pt_a, y_a, phi_a, mass2_a, excess_a = particles[first].unbind(1)
    pt_b, y_b, phi_b, mass2_b, excess_b = particles[second].unbind(1)
    dy, dphi = (y_a - y_b).clamp(-LARGEST_DELTA_ETA, LARGEST_DELTA_ETA), delta_phi(phi_a, phi_b)
    dr2 = dy * dy + dphi * dphi
    dr = torch.where(dr2 > EPSILON * EPSILON, dr2.clamp(min=EPSILON * EPSILON).sqrt(), 0.0)
    softer, both = torch.minimum(pt_a, pt_b), (pt_a + pt_b).clamp(min=EPSILON)
    apart = (0.5 * dy).sinh().square() * (pt_a + excess_a) * (pt_b + excess_b) + (
        0.5 * dphi
    ).sin().square() * pt_a * pt_b
    m2 = mass2_a + mass2_b + 4.0 * apart + 2.0 * (pt_a * excess_b + pt_b * excess_a + excess_a * excess_b)
    return torch.stack([softer * dr, softer / both, dr, m2], dim=1).clamp(min=EPSILON).log()
