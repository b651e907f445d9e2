"""A jet turns as a whole about its axis, by an angle of its own."""

from __future__ import annotations

import math

import pytest
import torch

from root_gnn.augmentations.rotate import Config
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import QUESTION, collimated, random_batch

BATCH = collimated(random_batch(Features(), (4, 1, 0, 6, 30) * 10, seed=1, question=QUESTION), Features())
DRAWS = RandomStream(seed=1, epoch=2)
OUT = Config().build(Features())(BATCH, DRAWS)


def wrapped(angle: float) -> float:
    return math.remainder(angle, 2.0 * math.pi)


def graphs(batch: Batch) -> list[list[list[float]]]:
    return [part.tolist() for part in torch.split(batch.nodes.double(), batch.n_node.tolist())]


def test_every_jet_is_turned_as_a_loop_would() -> None:
    angles = DRAWS.uniform(BATCH, 0).tolist()
    for before, after, turn in zip(graphs(BATCH), graphs(OUT), angles, strict=True):
        total = sum(row[0] for row in before)
        eta = sum(row[0] * row[1] for row in before) / total if before else 0.0
        phi = math.atan2(
            sum(row[0] * math.sin(row[2]) for row in before), sum(row[0] * math.cos(row[2]) for row in before)
        )
        phi += sum(row[0] * wrapped(row[2] - phi) for row in before) / total if before else 0.0
        cosine, sine = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
        for old, new in zip(before, after, strict=True):
            x, y = old[1] - eta, wrapped(old[2] - phi)
            assert math.isclose(new[1], eta + cosine * x - sine * y, abs_tol=1e-6)
            assert abs(wrapped(new[2] - phi - sine * x - cosine * y)) < 1e-6
            assert [new[0], *new[4:]] == [old[0], *old[4:]]
            mass_squared = old[3] ** 2 - (old[0] * math.cosh(old[1])) ** 2
            assert math.isclose(
                new[3], math.sqrt((old[0] * math.cosh(new[1])) ** 2 + max(mass_squared, 0.0)), rel_tol=1e-6
            )


def test_distances_within_a_jet_stay() -> None:
    for before, after in zip(graphs(BATCH), graphs(OUT), strict=True):
        for k, first in enumerate(before):
            for m, second in enumerate(before):
                old = math.hypot(first[1] - second[1], wrapped(first[2] - second[2]))
                new = math.hypot(after[k][1] - after[m][1], wrapped(after[k][2] - after[m][2]))
                assert math.isclose(old, new, abs_tol=2e-6)


def test_the_axis_and_a_single_constituent_stay() -> None:
    alone = (BATCH.n_node == 1)[BATCH.graph_index]
    assert float((OUT.nodes[alone, 1:3] - BATCH.nodes[alone, 1:3]).abs().max()) < 1e-6
    for before, after in zip(graphs(BATCH), graphs(OUT), strict=True):
        if before:
            old, new = (sum(row[0] * row[1] for row in part) / sum(row[0] for row in part) for part in (before, after))
            assert math.isclose(old, new, abs_tol=1e-6)


def test_truth_turns_about_the_same_axis() -> None:
    """A truth parton put onto the first constituent stays on it."""
    has_node = BATCH.n_node > 0
    first = (torch.cumsum(BATCH.n_node, 0) - BATCH.n_node)[has_node]
    labels = dict(BATCH.labels)
    for name, column in (("W_eta", 1), ("W_phi", 2)):
        labels[name] = labels[name].clone()
        labels[name][has_node] = BATCH.nodes[first, column]
    out = Config().build(Features())(BATCH.replace(labels=labels), DRAWS)
    assert torch.allclose(out.labels["W_eta"][has_node], out.nodes[first, 1], atol=1e-6)
    assert torch.allclose(
        torch.cos(out.labels["W_phi"][has_node] - out.nodes[first, 2]), torch.ones(len(first)), atol=1e-6
    )
    assert torch.equal(out.labels["W_pt"], BATCH.labels["W_pt"]) and torch.equal(
        out.labels["label"], BATCH.labels["label"]
    )


@pytest.mark.parametrize("probability", [0.3, 0.8])
def test_some_jets_are_left_alone(probability: float) -> None:
    batch = collimated(random_batch(Features(), (5,) * 1000, seed=2), Features())
    out = Config(probability=probability).build(Features())(batch, DRAWS)
    same = (out.nodes == batch.nodes).all(1).reshape(1000, 5)
    assert torch.equal(same.all(1), same.any(1))
    assert math.isclose(1.0 - float(same.all(1).double().mean()), probability, abs_tol=0.06)


def test_no_graphs_at_all() -> None:
    empty = BATCH.select(torch.zeros(0, dtype=torch.int64))
    assert Config().build(Features())(empty, DRAWS).check().n_graph == 0
