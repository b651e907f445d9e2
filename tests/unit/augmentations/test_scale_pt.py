"""One factor for all momenta of a graph, its truth and its globals."""

from __future__ import annotations

import math

import pytest
import torch

from root_gnn.augmentations.scale_pt import Config
from root_gnn.errors import InputError
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import QUESTION, random_batch

FEATURES = Features(
    nodes=("eta", "pt", "mass", "phi", "energy", "d0", "type"), globals=("n_node", "jet_pt", "msoftdrop", "scale")
)
BATCH = random_batch(FEATURES, (4, 1, 0, 6) * 50, seed=1, question=QUESTION)
DRAWS = RandomStream(seed=1, epoch=2)


def test_everything_in_gev_gets_the_factor_of_its_graph() -> None:
    out = Config(also=("msoftdrop",)).build(FEATURES)(BATCH, DRAWS)
    factor = [1.0 + 0.1 * (2.0 * u - 1.0) for u in DRAWS.uniform(BATCH, 0).tolist()]
    for before, after, graph in zip(BATCH.nodes.tolist(), out.nodes.tolist(), BATCH.graph_index.tolist(), strict=True):
        expected = [
            x * factor[graph] if name in ("pt", "mass", "energy") else x
            for name, x in zip(FEATURES.nodes, before, strict=True)
        ]
        assert all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(after, expected, strict=True))
    scaled = torch.tensor([[1.0, f, f, 1.0] for f in factor])
    assert torch.allclose(out.globals, BATCH.globals * scaled)
    for name, value in BATCH.labels.items():
        follows = name.endswith(("_pt", "_m"))
        assert torch.allclose(out.labels[name], value * torch.tensor(factor) if follows else value)


def test_factors_are_uniform_around_one() -> None:
    out = Config(width=0.4).build(FEATURES)(BATCH, DRAWS)
    assert torch.equal(out.globals[:, 2], BATCH.globals[:, 2])  # nobody said that it is a mass
    factor = (out.globals[:, 1] / BATCH.globals[:, 1]).double()
    assert float((factor - 1.0).abs().max()) <= 0.4 + 1e-6
    assert abs(float(factor.mean()) - 1.0) < 0.06 and abs(float(factor.std()) - 0.8 / math.sqrt(12.0)) < 0.03


def test_only_some_graphs() -> None:
    out = Config(probability=0.5).build(FEATURES)(BATCH, DRAWS)
    same = out.globals[:, 1] == BATCH.globals[:, 1]
    assert 0.35 < float(same.double().mean()) < 0.65
    assert torch.equal(out.nodes[same[BATCH.graph_index]], BATCH.nodes[same[BATCH.graph_index]])


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"scale_pt.also names 'msoftdrp'.*msoftdrop"):
        Config(also=("msoftdrp",)).build(FEATURES)
