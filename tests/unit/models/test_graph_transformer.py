"""The plain transformer against a loop over graphs with torch's own attention."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.models.graph_transformer import Config, GraphTransformer
from root_gnn.nn.attention import Block
from root_gnn.nn.buckets import Buckets
from root_gnn.testing import check_encoder, random_batch

FEATURES = Features()
JETS = Features(nodes=("pt", "eta", "phi", "energy", "charge", "d0", "type"), n_type=5)
SMALL: dict[str, Any] = {"dim": 16, "n_head": 2, "n_block": 2}


@pytest.mark.parametrize("features", [FEATURES, JETS], ids=["events", "jets"])
@pytest.mark.parametrize(
    "settings", [{"pooling": "attention", "coordinates": "event"}, {"pair_hidden": None, "embedding": (8,)}]
)
def test_it_keeps_the_contract(settings: dict[str, Any], features: Features) -> None:
    check_encoder(Config(**SMALL, **settings).build, features=features)


def one_block(block: Block, rows: Tensor, bias: Tensor | None) -> Tensor:
    """A before-norm block on the nodes of one graph, with the softmax written out."""
    attention, normed = block.attention, block.before_attention(rows)
    q, k, v = (
        part.view(len(rows), attention.n_head, 8).transpose(0, 1) for part in attention.project_in(normed).chunk(3, -1)
    )
    logits = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
    mixed = torch.softmax(logits if bias is None else logits + bias, dim=-1) @ v
    rows = rows + attention.project_out(mixed.transpose(0, 1).flatten(1))
    return rows + block.narrow(F.gelu(block.widen(block.before_layers(rows))))


def pair_bias(encoder: GraphTransformer, nodes: Tensor) -> Tensor | None:
    """The bias of one graph, pair by pair: `(n_head, n, n)`."""
    if encoder.pairs is None:
        return None
    count = len(nodes)
    alone = random_batch(FEATURES, (count,), seed=1).replace(nodes=nodes)
    flat = torch.cat(encoder.pairs(alone, Buckets.of(alone.n_node, alone.graph_index, 1)))
    out = torch.zeros(2, count, count, dtype=nodes.dtype)
    row = 0
    for i in range(count):
        for j in range(i + 1):
            out[:, i, j] = out[:, j, i] = flat[row]
            row += 1
    return out


@pytest.mark.parametrize(
    "settings", [SMALL, {**SMALL, "pair_hidden": None}, {**SMALL, "pooling": "attention", "bucket_nodes": 9}]
)
def test_it_is_a_loop_over_graphs(settings: dict[str, Any]) -> None:
    plain = random_batch(FEATURES, (5, 1, 9, 0, 3), seed=1)
    batch = plain.replace(nodes=plain.nodes.double(), globals=plain.globals.double())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        encoder = Config(**settings).build(FEATURES, Scaling.fit([plain], FEATURES)).double().eval()
    out, inputs = encoder(batch), encoder.embed(encoder.inputs(batch))
    for graph in range(batch.n_graph):
        own = batch.graph_index == graph
        rows, bias = inputs[own], pair_bias(encoder, batch.nodes[own])
        for block in encoder.blocks:
            rows = one_block(block, rows, bias)
        rows = encoder.norm(rows)
        torch.testing.assert_close(out.nodes[own], rows, rtol=1e-9, atol=1e-9)
        weight = torch.full((len(rows), 1), 1.0 / max(len(rows), 1), dtype=rows.dtype)
        if encoder.pool is not None:
            weight = torch.softmax(encoder.pool.score(rows), dim=0)
        expected = encoder.of_graph(torch.cat([(weight * rows).sum(0), encoder.global_inputs(batch)[graph]]))
        torch.testing.assert_close(out.globals[graph], expected, rtol=1e-9, atol=1e-9)


def test_layers_run_from_the_embedding_to_the_representation() -> None:
    batch = random_batch(FEATURES, (6, 5), seed=2)
    encoder = Config(**SMALL).build(FEATURES, Scaling()).eval()
    layers = encoder.layers(batch)
    assert list(layers) == ["embedding", "block_1", "block_2", "graph"]
    torch.testing.assert_close(layers["graph"], encoder(batch).globals)
