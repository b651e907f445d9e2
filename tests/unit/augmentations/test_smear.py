"""Directions get normal numbers whose width falls with pt."""

from __future__ import annotations

import math

import torch

from root_gnn.augmentations.smear import Config
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import collimated, random_batch

FEATURES = Features(nodes=("pt", "eta", "phi", "energy", "charge"))
DRAWS = RandomStream(seed=1, epoch=2)


def soft(n_graph: int, size: int) -> Batch:
    """Jets with constituents of 0.02 GeV to 20 GeV."""
    batch = collimated(random_batch(FEATURES, (size,) * n_graph, seed=1), FEATURES)
    nodes = batch.nodes.clone()
    nodes[:, 0] = 10.0 ** (torch.rand(batch.total_node, generator=torch.Generator().manual_seed(3)) * 3.0 - 1.7)
    nodes[:, 3] = nodes[:, 0] * nodes[:, 1].cosh()
    return batch.replace(nodes=nodes)


def noise(batch: Batch, out: Batch, *, scale: float, min_pt: float) -> torch.Tensor:
    """The shifts over their widths, `(total_node, 2)`."""
    moved = (out.nodes - batch.nodes).double()[:, 1:3]
    moved[:, 1] = torch.remainder(moved[:, 1] + math.pi, 2 * math.pi) - math.pi
    return moved / (scale / batch.nodes[:, :1].double().clamp(min=min_pt))


def test_shifts_are_normal_with_the_width_of_the_paper() -> None:
    batch = soft(400, 50)
    out = Config().build(FEATURES)(batch, DRAWS)
    pull = noise(batch, out, scale=0.1, min_pt=0.1)
    pull = pull[batch.nodes[:, 0] > 0.2]  # a shift beyond pi comes back on the other side
    n = len(pull)
    assert float(pull.mean(0).abs().max()) < 4.0 / math.sqrt(n)
    assert float((pull.std(0) - 1.0).abs().max()) < 4.0 / math.sqrt(2.0 * n)
    assert abs(float((pull[:, 0] * pull[:, 1]).mean())) < 4.0 / math.sqrt(n)
    assert abs(float((pull**4).mean()) - 3.0) < 0.15
    assert math.isclose(float((pull.abs() < 1.0).double().mean()), 0.6827, abs_tol=0.01)


def test_widths_can_be_chosen_and_stop_growing() -> None:
    batch = soft(400, 50)
    for scale, min_pt in ((0.02, 0.1), (0.05, 1.0)):
        pull = noise(
            batch, Config(scale=scale, min_pt=min_pt).build(FEATURES)(batch, DRAWS), scale=scale, min_pt=min_pt
        )
        for part in (batch.nodes[:, 0] < min_pt, batch.nodes[:, 0] > min_pt):
            assert abs(float(pull[part].std()) - 1.0) < 0.03


def test_a_loop_gives_the_same() -> None:
    batch = soft(10, 7)
    out = Config().build(FEATURES)(batch, DRAWS)
    first, second = (DRAWS.uniform_nodes(batch, stream).tolist() for stream in (0, 1))
    for k, (old, new) in enumerate(zip(batch.nodes.tolist(), out.nodes.tolist(), strict=True)):
        radius = math.sqrt(-2.0 * math.log(1.0 - first[k])) * 0.1 / max(old[0], 0.1)
        assert math.isclose(new[1], old[1] + radius * math.cos(2 * math.pi * second[k]), abs_tol=1e-6)
        assert abs(math.remainder(new[2] - old[2] - radius * math.sin(2 * math.pi * second[k]), 2 * math.pi)) < 1e-6
        assert (new[0], new[4]) == (old[0], old[4])
        assert math.isclose(new[3], new[0] * math.cosh(new[1]), rel_tol=1e-5)  # massless before and after


def test_a_constituent_without_pt_stays_finite() -> None:
    batch = soft(2, 3)
    nodes = batch.nodes.clone()
    nodes[1] = 0.0
    out = Config().build(FEATURES)(batch.replace(nodes=nodes), DRAWS).check()
    assert float(out.nodes[1, 0]) == 0.0 and float(out.nodes[1, 3]) == 0.0


def test_constituents_and_views_are_independent() -> None:
    batch = soft(100, 20)
    smear = Config().build(FEATURES)
    one = noise(batch, smear(batch, DRAWS), scale=0.1, min_pt=0.1)
    two = noise(batch, smear(batch, RandomStream(seed=1, epoch=2, view=1)), scale=0.1, min_pt=0.1)
    assert abs(float((one * two).mean())) < 0.06
    assert abs(float((one[1:] * one[:-1]).mean())) < 0.06
