"""A random share of the nodes: any of them with the same chance."""

from __future__ import annotations

import math

import pytest
import torch

from root_gnn.augmentations import subgraph_random
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import random_batch

BATCH = random_batch(Features(), (4, 1, 0, 6, 11, 0) * 30, seed=1)
DRAWS = RandomStream(seed=1, epoch=2)


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.75])
def test_the_share_is_met_to_the_nearest_number(fraction: float) -> None:
    out = subgraph_random.Config(fraction=fraction).build(Features())(BATCH, DRAWS).check()
    assert out.n_node.tolist() == [min(n, max(1, round(n * fraction))) for n in BATCH.n_node.tolist()]


def test_nothing_to_choose_from_and_some_left_whole() -> None:
    augmentation = subgraph_random.Config(probability=0.5).build(Features())
    for counts in ((0, 0), ()):
        assert augmentation(random_batch(Features(), counts, seed=1), DRAWS).check().n_node.tolist() == list(counts)
    out = augmentation(BATCH, DRAWS)
    whole = (out.n_node == BATCH.n_node)[BATCH.n_node > 1]
    assert 0.3 < float(whole.double().mean()) < 0.7


def test_any_node_is_kept_with_the_same_chance() -> None:
    batch = random_batch(Features(), (8,) * 1500, seed=2)
    out = subgraph_random.Config(fraction=0.25).build(Features())(batch, DRAWS)
    kept = torch.isin(batch.nodes[:, 0], out.nodes[:, 0]).reshape(1500, 8).double()
    assert float((kept.mean(0) - 0.25).abs().max()) < 0.05
    together = (kept.T @ kept / 1500)[~torch.eye(8, dtype=torch.bool)]
    assert float((together - 2.0 / 8.0 / 7.0).abs().max()) < 0.03  # two of eight, each pair alike


def test_two_views_of_an_event_differ() -> None:
    augmentation = subgraph_random.Config().build(Features())
    batch = random_batch(Features(), (12,) * 200, seed=4)
    one, two = (
        torch.isin(batch.nodes[:, 0], augmentation(batch, RandomStream(seed=1, epoch=2, view=view)).nodes[:, 0])
        for view in (0, 1)
    )
    assert math.isclose(float((one & two).double().mean()), 0.25, abs_tol=0.03)
