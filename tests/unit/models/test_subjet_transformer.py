"""Tokens that are subjets: what belongs together shares a representation, and what is left out is not there."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from root_gnn.clustering.subjets import subjets
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.subgraph import subgraph
from root_gnn.models.subjet_transformer import Config, SubjetTransformer
from root_gnn.nn.subjets import ColumnSubjets, Subjets
from root_gnn.testing import check_encoder, random_batch

JETS = Features(nodes=("pt", "eta", "phi", "energy", "charge", "subjet", "type"), n_type=5)
COLUMN = JETS.column("subjet")
SMALL: dict[str, Any] = {"dim": 16, "n_head": 2, "n_block": 2, "n_constituent": 4}
EMBEDDINGS = ("attention", "mlp", "linear")


def jets(sizes: tuple[int, ...], seed: int = 1) -> Batch:
    """Random jets in double precision whose constituents are in up to four subjets."""
    plain = random_batch(JETS, sizes, seed=seed)
    nodes = plain.nodes.double()
    nodes[:, COLUMN] = torch.randint(4, (len(nodes),), generator=torch.Generator().manual_seed(seed)).double()
    return plain.replace(nodes=nodes, globals=plain.globals.double())


def build(settings: dict[str, Any]) -> SubjetTransformer:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return Config(**settings).build(JETS, Scaling()).double().eval()


def renumbered(batch: Batch, numbers: Tensor) -> Batch:
    nodes = batch.nodes.clone()
    nodes[:, COLUMN] = numbers[nodes[:, COLUMN].long()]
    return batch.replace(nodes=nodes)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("features", [Features(), JETS], ids=["events", "jets"])
def test_it_keeps_the_contract(embedding: str, features: Features) -> None:
    if "subjet" not in features.nodes:
        pytest.importorskip("fastjet")
    check_encoder(Config.model_validate({**SMALL, "embedding": embedding}).build, features=features)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_constituents_of_a_subjet_share_its_representation_and_numbers_are_only_names(embedding: str) -> None:
    encoder, batch = build({**SMALL, "embedding": embedding}), jets((9, 1, 0, 14))
    out = encoder(batch)
    for graph in range(batch.n_graph):
        for number in range(4):
            rows = out.nodes[(batch.graph_index == graph) & (batch.nodes[:, COLUMN] == number)]
            assert torch.equal(rows, rows[:1].expand_as(rows))
    assert len(out.nodes.unique(dim=0)) == len(
        torch.stack([batch.graph_index, batch.nodes[:, COLUMN].long()], 1).unique(dim=0)
    )
    again = encoder(renumbered(batch, torch.tensor([7.0, -1.0, 2.0, 5000.0]).double()))
    torch.testing.assert_close(again.nodes, out.nodes, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(again.globals, out.globals, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_subjets_that_are_left_out_leave_nothing_behind(embedding: str) -> None:
    """What JEPA's context encoder rests on: the context alone decides."""
    encoder, batch = build({**SMALL, "embedding": embedding}), jets((9, 6))
    context = batch.nodes[:, COLUMN] != 1.0
    changed = batch.nodes.clone()
    changed[~context, :4] *= 1.5
    first, second = (encoder(subgraph(batch.replace(nodes=nodes), context)) for nodes in (batch.nodes, changed))
    assert torch.equal(first.nodes, second.nodes)
    assert torch.equal(first.globals, second.globals)


def test_a_subjet_is_the_sum_of_its_constituents() -> None:
    vector = pytest.importorskip("vector")
    batch = jets((9, 3, 0, 14))
    found = Subjets.of(batch, ColumnSubjets(COLUMN)(batch, batch.nodes[:, :4]), batch.nodes[:, 0])
    momenta = found.momenta(batch.nodes[:, :4])
    assert found.n_subjet.tolist() == [
        len(batch.nodes[batch.graph_index == graph, COLUMN].unique()) for graph in range(batch.n_graph)
    ]
    for subjet in range(len(momenta)):
        pt, eta, phi, energy = batch.nodes[found.of_node == subjet, :4].numpy().T
        total = vector.array({"pt": pt, "eta": eta, "phi": phi, "E": energy}).sum()
        expected = torch.tensor([float(x) for x in (total.pt, total.eta, total.phi, total.E)], dtype=torch.float64)
        torch.testing.assert_close(momenta[subjet], expected, rtol=1e-9, atol=1e-9)
    start = 0
    for count in found.n_constituent.tolist():
        pt = batch.nodes[found.order[start : start + count], 0]
        assert bool((pt[1:] <= pt[:-1]).all())
        start += count


def test_without_the_column_fastjet_finds_the_subjets() -> None:
    pytest.importorskip("fastjet")
    features = Features()
    plain = random_batch(features, (12, 5, 0, 1), seed=1)
    nodes = plain.nodes.clone()
    nodes[:, 1:3] *= 0.15
    batch = plain.replace(nodes=nodes)
    encoder = Config(**SMALL).build(features, Scaling()).eval()
    number = subjets(nodes[:, :4].double().numpy(), batch.n_node.numpy())
    numbered = Features(nodes=(*features.nodes, "subjet"))
    beside = Config(**SMALL).build(numbered, Scaling()).eval()
    beside.load_state_dict(encoder.state_dict())
    column = torch.from_numpy(number).float().unsqueeze(1)
    out, expected = encoder(batch), beside(batch.replace(nodes=torch.cat([nodes, column], 1)))
    assert torch.equal(out.nodes, expected.nodes) and torch.equal(out.globals, expected.globals)
    assert 1 < len(out.nodes.detach()[:12].unique(dim=0)) < 12


def test_the_softest_subjets_may_count_to_the_last() -> None:
    encoder, batch = build({**SMALL, "at_most": 2}), jets((14, 9))
    assert len(encoder(batch).nodes[:14].detach().unique(dim=0)) == 2
    merged = renumbered(batch, torch.tensor([0.0, 1.0, 1.0, 1.0]).double())
    torch.testing.assert_close(encoder(batch).nodes, build(SMALL)(merged).nodes)


def test_layers_run_from_the_embedding_to_the_representation() -> None:
    encoder, batch = build(SMALL), jets((6, 5, 0))
    layers = encoder.layers(batch)
    assert list(layers) == ["embedding", "block_1", "block_2", "graph"]
    torch.testing.assert_close(layers["graph"], encoder(batch).globals)
