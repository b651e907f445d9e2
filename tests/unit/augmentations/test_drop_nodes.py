"""Nodes are lost by chance, never all of a graph."""

from __future__ import annotations

import math

import torch

from root_gnn.augmentations.drop_nodes import Config
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import random_batch

BATCH = random_batch(Features(), (4, 1, 0, 6, 40) * 40, seed=1)
DRAWS = RandomStream(seed=1, epoch=2)


def test_a_loop_gives_the_same() -> None:
    out = Config(fraction=0.7).build(Features())(BATCH, DRAWS).check()
    chance = torch.split(DRAWS.uniform_nodes(BATCH, 0), BATCH.n_node.tolist())
    expected, counts = [], []
    for rows, draws in zip(torch.split(BATCH.nodes, BATCH.n_node.tolist()), chance, strict=True):
        keep = [u >= 0.7 for u in draws.tolist()]
        if keep and not any(keep):
            keep[int(draws.argmax())] = True
        expected += [row for row, kept in zip(rows, keep, strict=True) if kept]
        counts.append(sum(keep))
    assert out.n_node.tolist() == counts
    assert torch.equal(out.nodes, torch.stack(expected))


def test_the_share_that_is_lost() -> None:
    out = Config(fraction=0.25).build(Features())(BATCH, DRAWS)
    large = BATCH.n_node == 40
    lost = 1.0 - float(out.n_node[large].sum()) / float(BATCH.n_node[large].sum())
    assert math.isclose(lost, 0.25, abs_tol=0.05)


def test_nearly_everything_lost_leaves_one() -> None:
    out = Config(fraction=0.999999).build(Features())(BATCH, DRAWS)
    assert torch.equal(out.n_node, BATCH.n_node.clamp(max=1))


def test_some_graphs_lose_nothing() -> None:
    out = Config(fraction=0.9, probability=0.5).build(Features())(BATCH, DRAWS)
    whole = (out.n_node == BATCH.n_node)[BATCH.n_node == 40]
    assert 0.25 < float(whole.double().mean()) < 0.75
