"""One angle per event turns everything, truth included, and stays in [-pi, pi]."""

from __future__ import annotations

import math

import torch

from root_gnn.augmentations.rotate_phi import Config
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import QUESTION, random_batch

BATCH = random_batch(Features(), (4, 1, 0, 6) * 5, seed=1, question=QUESTION)
OUT = Config().build(Features())(BATCH, RandomStream(seed=1, epoch=2))


def turns() -> torch.Tensor:
    """The angle each node turned by, in [0, 2 pi)."""
    return torch.remainder(OUT.nodes[:, 2] - BATCH.nodes[:, 2], 2 * math.pi)


def test_all_nodes_of_an_event_turn_alike_and_events_differ() -> None:
    angles = torch.split(turns(), BATCH.n_node.tolist())
    for angle in angles:
        assert (
            not angle.numel() or float((torch.remainder(angle - angle[0] + 1.0, 2 * math.pi) - 1.0).abs().max()) < 1e-5
        )
    first = [round(float(angle[0]), 3) for angle in angles if angle.numel()]
    assert len(set(first)) == len(first)
    assert max(first) - min(first) > math.pi


def test_truth_turns_along() -> None:
    owner = {int(graph): k for k, graph in enumerate(BATCH.graph_index)}
    for name in ("higgs_phi", "W_phi"):
        for graph, node in owner.items():
            turned = float(OUT.labels[name][graph] - BATCH.labels[name][graph])
            assert math.isclose(math.cos(turned), math.cos(float(turns()[node])), abs_tol=1e-5)
            assert math.isclose(math.sin(turned), math.sin(float(turns()[node])), abs_tol=1e-5)
        assert bool((OUT.labels[name].abs() <= math.pi + 1e-6).all())


def test_nothing_else_moves() -> None:
    others = [0, 1, 3, 4, 5, 6]
    assert torch.equal(OUT.nodes[:, others], BATCH.nodes[:, others])
    assert all(
        torch.equal(OUT.labels[name], value) for name, value in BATCH.labels.items() if not name.endswith("_phi")
    )
    assert bool((OUT.nodes[:, 2].abs() <= math.pi + 1e-6).all())


def test_columns_are_found_by_name() -> None:
    features = Features(nodes=("phi", "pt", "eta", "energy"))
    batch = random_batch(features, (3, 2), seed=1)
    out = Config().build(features)(batch, RandomStream(seed=1, epoch=1))
    assert torch.equal(out.nodes[:, 1:], batch.nodes[:, 1:]) and not torch.equal(out.nodes[:, 0], batch.nodes[:, 0])
