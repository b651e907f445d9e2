"""Buckets: nothing is lost, little is padded, graphs keep their own."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_place
from root_gnn.nn.buckets import Buckets
from root_gnn.nn.pair_bias import lower_pairs


def batch_of(sizes: list[int]) -> Batch:
    total = sum(sizes)
    return Batch.of(torch.arange(float(total)).unsqueeze(1).repeat(1, 2), torch.tensor(sizes, dtype=torch.int64))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=25), st.integers(1, 60))
def test_padding_and_back_is_nothing(sizes: list[int], limit: int) -> None:
    batch = batch_of(sizes)
    buckets = Buckets.of(batch.n_node, batch.graph_index, limit)
    padded = buckets.pad(batch.nodes)
    assert torch.equal(buckets.flat(padded), batch.nodes)
    counts = [part.mask.sum(1, keepdim=True) for part in buckets.parts]
    assert torch.equal(buckets.per_graph(counts).squeeze(1), batch.n_node)
    for part, rows in zip(buckets.parts, padded, strict=True):
        assert bool((rows[~part.mask] == 0).all())
        assert part.length == 0 or bool(part.mask[:, 0].all())
        owner = batch.graph_index[part.rows[part.mask]]
        assert torch.equal(owner.unique(), owner.unique_consecutive().sort().values)
        assert int(part.mask.sum()) < limit + max(part.length, 1)
    assert torch.equal(torch.cat([part.rows[part.mask] for part in buckets.parts]), buckets.nodes)
    assert torch.equal(torch.cat([part.n_node for part in buckets.parts]), batch.n_node.sort().values)
    assert [int((part.n_node * (part.n_node + 1)).sum()) // 2 for part in buckets.parts] == buckets.n_pair


def test_pairs_are_the_lower_triangles() -> None:
    batch = batch_of([3, 0, 1, 2])
    first, second = lower_pairs(batch.n_node, batch.total_node, 10)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [
        (0, 0),
        (1, 0),
        (1, 1),
        (2, 0),
        (2, 1),
        (2, 2),
        (3, 3),
        (4, 4),
        (5, 4),
        (5, 5),
    ]
    assert segment_place(batch.graph_index, batch.n_node).tolist() == [0, 1, 2, 0, 0, 1]


def test_lengths_of_jets_leave_little_padding() -> None:
    sizes = np.random.default_rng(1).gamma(4.2, 39 / 4.2, 512).clip(1, 128).astype(int).tolist()
    batch = batch_of(sizes)
    buckets = Buckets.of(batch.n_node, batch.graph_index, 1024)
    assert sum(part.rows.numel() for part in buckets.parts) < 1.1 * sum(sizes)
