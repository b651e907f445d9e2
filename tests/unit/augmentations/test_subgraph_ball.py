"""The nearest neighbours of a node, against a loop; any node is the centre."""

from __future__ import annotations

import math

import pytest
import torch

from root_gnn.augmentations import subgraph_ball
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import random_batch

BATCH = random_batch(Features(), (4, 1, 0, 6, 11, 0) * 30, seed=1)
DRAWS = RandomStream(seed=1, epoch=2)


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.75])
def test_the_share_is_met_to_the_nearest_number(fraction: float) -> None:
    out = subgraph_ball.Config(fraction=fraction).build(Features())(BATCH, DRAWS).check()
    assert out.n_node.tolist() == [min(n, max(1, round(n * fraction))) for n in BATCH.n_node.tolist()]


def test_nothing_to_choose_from_and_some_left_whole() -> None:
    augmentation = subgraph_ball.Config(probability=0.5).build(Features())
    for counts in ((0, 0), ()):
        assert augmentation(random_batch(Features(), counts, seed=1), DRAWS).check().n_node.tolist() == list(counts)
    out = augmentation(BATCH, DRAWS)
    whole = (out.n_node == BATCH.n_node)[BATCH.n_node > 1]
    assert 0.3 < float(whole.double().mean()) < 0.7


def test_a_ball_is_what_a_loop_finds() -> None:
    out = subgraph_ball.Config(fraction=0.5).build(Features())(BATCH, DRAWS)
    chosen = DRAWS.uniform(BATCH, 0).tolist()
    counts = BATCH.n_node.tolist()
    for u, rows, kept in zip(
        chosen, torch.split(BATCH.nodes, counts), torch.split(out.nodes, out.n_node.tolist()), strict=True
    ):
        if not len(rows):
            continue
        centre = rows[int(u * len(rows))].tolist()
        distance = [
            math.hypot(row[1] - centre[1], math.remainder(row[2] - centre[2], 2 * math.pi)) for row in rows.tolist()
        ]
        nearest = sorted(sorted(range(len(rows)), key=distance.__getitem__)[: max(1, round(0.5 * len(rows)))])
        assert torch.equal(kept, rows[nearest])


def test_every_node_is_a_centre_as_often() -> None:
    batch = random_batch(Features(), (5,) * 2000, seed=3)
    out = subgraph_ball.Config(fraction=0.2).build(Features())(batch, DRAWS)  # one node: the centre itself
    share = torch.isin(batch.nodes[:, 0], out.nodes[:, 0]).reshape(2000, 5).double().mean(0)
    assert float((share - 0.2).abs().max()) < 0.04
