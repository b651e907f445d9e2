"""Pooling against a loop over graphs."""

from __future__ import annotations

import torch

from root_gnn.graph.batch import Batch
from root_gnn.nn.pooling import AttentionPool, flattened, pool

SIZES = (3, 0, 1, 4)
BATCH = Batch.of(torch.randn(8, 2, generator=torch.Generator().manual_seed(1)), torch.tensor(SIZES))
GRAPHS = torch.split(BATCH.nodes, SIZES)


def test_sum_mean_and_maximum_are_concatenated_in_order() -> None:
    zero = torch.zeros(2)
    expected = [torch.cat([g.sum(0), g.amax(0), g.mean(0)]) if len(g) else zero.repeat(3) for g in GRAPHS]
    torch.testing.assert_close(pool(BATCH.nodes, BATCH, ("sum", "max", "mean")), torch.stack(expected))


def test_the_first_nodes_are_padded_with_zeros_and_further_ones_left_out() -> None:
    expected = [torch.cat([g[:3], torch.zeros(max(0, 3 - len(g)), 2)]).flatten() for g in GRAPHS]
    assert torch.equal(flattened(BATCH, 3), torch.stack(expected))


def test_attention_pooling_is_a_softmax_over_each_graph() -> None:
    torch.manual_seed(2)
    layer = AttentionPool(2)
    expected = [(layer.score(g).softmax(0) * g).sum(0) if len(g) else torch.zeros(2) for g in GRAPHS]
    torch.testing.assert_close(layer(BATCH.nodes, BATCH), torch.stack(expected))
    large = BATCH.nodes * 1e4
    assert bool(torch.isfinite(layer(large, BATCH)).all())
