"""Nearest neighbours against scikit-learn, over the seam of phi and in graphs of any size."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from root_gnn.graph.features import Features
from root_gnn.nn.buckets import Buckets
from root_gnn.nn.neighbours import nearest
from root_gnn.testing import random_batch


@pytest.mark.parametrize("k", [1, 3, 50])
@pytest.mark.parametrize("limit", [1, 10_000])
def test_neighbours_are_those_of_scikit_learn(k: int, limit: int) -> None:
    batch = random_batch(Features(), (7, 1, 0, 20, 2), seed=1)
    points = batch.nodes[:, 1:3].double()
    senders, receivers = nearest(points, Buckets.of(batch.n_node, batch.graph_index, limit), k, angle=1)
    assert bool((receivers[1:] >= receivers[:-1]).all())
    for graph, count in enumerate(batch.n_node.tolist()):
        rows = torch.nonzero(batch.graph_index == graph).squeeze(1)
        own = batch.graph_index[receivers] == graph
        if count < 2:
            assert not bool(own.any())
            continue

        def apart(a: list[float], b: list[float]) -> float:
            return math.hypot(a[0] - b[0], math.remainder(a[1] - b[1], 2 * math.pi))

        search = NearestNeighbors(n_neighbors=min(k, count - 1), metric=apart).fit(points[rows].numpy())
        found = search.kneighbors(return_distance=False)
        expected = {(int(rows[j]), int(rows[i])) for i, row in enumerate(found) for j in row}
        assert set(zip(senders[own].tolist(), receivers[own].tolist(), strict=True)) == expected


def test_no_pair_gives_no_edge() -> None:
    batch = random_batch(Features(), (1, 0, 1), seed=1)
    senders, receivers = nearest(batch.nodes[:, 1:3], Buckets.of(batch.n_node, batch.graph_index, 8), 4)
    assert senders.shape == receivers.shape == (0,)
