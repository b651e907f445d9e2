"""Which graphs and nodes an augmentation changes: shares, chances, and something is always left."""

from __future__ import annotations

import torch

from root_gnn.augmentations.chance import happens, share, survivors
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import random_batch

STREAM = RandomStream(seed=1, epoch=0)
BATCH = random_batch(Features(), [4, 1, 0, 7] * 500, seed=1)


def test_a_graph_is_changed_with_its_probability() -> None:
    assert bool(happens(BATCH, STREAM, 1.0).all())
    changed = happens(BATCH, STREAM, 0.3)
    assert changed.shape == (2000,)
    assert abs(float(changed.double().mean()) - 0.3) < 4.0 * (0.3 * 0.7 / 2000) ** 0.5


def test_a_share_is_rounded_and_at_least_one_node() -> None:
    assert share(BATCH, 0.5)[:4].tolist() == [2, 1, 1, 4]


def test_the_largest_draw_of_every_graph_survives() -> None:
    score = torch.rand(BATCH.total_node, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    kept = survivors(score, BATCH, 1.0)
    n_left = torch.zeros_like(BATCH.n_node).index_add(0, BATCH.graph_index, kept.long())
    assert torch.equal(n_left, BATCH.n_node.clamp(max=1))
    assert torch.equal(survivors(score, BATCH, 0.0), torch.ones_like(kept))
    assert bool(survivors(torch.full_like(score, 0.2), BATCH, 0.5).all()), "equal draws share their fate"
