"""The nearest nodes of the same graph, from the distances within padded buckets and without a compiled extension."""

from __future__ import annotations

import torch
from torch import Tensor

from root_gnn.kinematics.angles import wrap_phi
from root_gnn.nn.buckets import Buckets


def nearest(points: Tensor, buckets: Buckets, k: int, *, angle: int | None = None) -> tuple[Tensor, Tensor]:
    """Senders and receivers, `(n_edge,)` each, of edges from the `k` nearest others to each node, ascending receivers.

    A graph of fewer than k + 1 nodes gives all of its pairs; a node is never its own neighbour.

    Args:
        points: coordinates `(total_node, n_coordinate)`.
        buckets: the graphs of the batch.
        k: number of neighbours of a node.
        angle: the coordinate that is an azimuth, whose differences are wrapped.
    """
    senders, receivers = [], []
    with torch.no_grad():
        for bucket, padded in zip(buckets.parts, buckets.pad(points), strict=True):
            if bucket.length < 2:
                continue
            difference = padded[:, :, None, :] - padded[:, None, :, :]
            if angle is not None:
                difference[..., angle] = wrap_phi(difference[..., angle])
            # A node is no neighbour of itself, and padding is nobody's neighbour and has none.
            itself = torch.eye(bucket.length, dtype=torch.bool, device=points.device)
            masked = itself | ~bucket.mask[:, None, :] | ~bucket.mask[:, :, None]
            distance = difference.square().sum(-1).masked_fill(masked, torch.inf)
            distance, neighbour = distance.topk(min(k, bucket.length - 1), largest=False)
            real = torch.isfinite(distance)
            rows = bucket.rows[:, None, :].expand(-1, bucket.length, -1).gather(2, neighbour)
            senders.append(rows[real])
            receivers.append(bucket.rows[:, :, None].expand_as(rows)[real])
    nothing = torch.zeros(0, dtype=torch.int64, device=points.device)
    sender, receiver = torch.cat([nothing, *senders]), torch.cat([nothing, *receivers])
    # By buckets so far; edges in the order of their receivers can be summed segment by segment.
    order = torch.argsort(receiver, stable=True)
    return sender[order], receiver[order]
