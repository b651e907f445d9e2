"""Half of the events change the sign of every eta, truth included."""

from __future__ import annotations

import torch

from root_gnn.augmentations.reflect_eta import Config
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import QUESTION, random_batch

BATCH = random_batch(Features(), (4, 1, 0, 6) * 50, seed=1, question=QUESTION)
REFLECT = Config().build(Features())
OUT = REFLECT(BATCH, RandomStream(seed=1, epoch=2))


def signs() -> torch.Tensor:
    return OUT.nodes[:, 1] / BATCH.nodes[:, 1]


def test_each_event_is_reflected_as_a_whole_or_not_at_all() -> None:
    for sign in torch.split(signs(), BATCH.n_node.tolist()):
        assert set(sign.tolist()) <= {1.0} or set(sign.tolist()) <= {-1.0}
    reflected = int((signs() < 0).sum()) / BATCH.total_node
    assert 0.35 < reflected < 0.65


def test_truth_is_reflected_along() -> None:
    first = {int(graph): k for k, graph in enumerate(BATCH.graph_index)}
    for graph, node in first.items():
        assert float(OUT.labels["top1_eta"][graph]) == float(BATCH.labels["top1_eta"][graph] * signs()[node])
    others = [name for name in BATCH.labels if not name.endswith("_eta")]
    assert all(torch.equal(OUT.labels[name], BATCH.labels[name]) for name in others)


def test_nothing_else_moves() -> None:
    others = [0, 2, 3, 4, 5, 6]
    assert torch.equal(OUT.nodes[:, others], BATCH.nodes[:, others])
    assert torch.equal(OUT.nodes[:, 1].abs(), BATCH.nodes[:, 1].abs())


def test_twice_is_once_back() -> None:
    again = REFLECT(OUT, RandomStream(seed=1, epoch=2))
    assert torch.equal(again.nodes, BATCH.nodes)
