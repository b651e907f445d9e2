"""Deep sets against a loop, and that no node sees another."""

from __future__ import annotations

import pytest
import torch

from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.models.deep_sets import Config
from root_gnn.testing import check_encoder, random_batch

FEATURES = Features()


@pytest.mark.parametrize("settings", [{}, {"coordinates": "event"}, {"pooling": ("sum",), "dim": 8}])
def test_it_keeps_the_contract(settings: dict[str, object]) -> None:
    check_encoder(Config.model_validate(settings).build)


def test_it_is_a_loop_over_graphs_and_nodes() -> None:
    batch = random_batch(FEATURES, (4, 1, 7, 0), seed=1)
    encoder = Config(dim=8, pooling=("sum", "mean", "max")).build(FEATURES, Scaling.fit([batch], FEATURES)).eval()
    out, inputs, start = encoder(batch), encoder.inputs(batch), 0
    for graph, count in enumerate(batch.n_node.tolist()):
        phi = [encoder.phi(row) for row in inputs[start : start + count]] or [torch.zeros(8)]
        pooled = [sum(phi), sum(phi) / len(phi), torch.stack(phi).amax(0)]
        rho = encoder.rho(torch.cat([*pooled, encoder.global_inputs(batch)[graph]]))
        torch.testing.assert_close(out.globals[graph], rho, rtol=1e-4, atol=1e-5)
        start += count


def test_nodes_do_not_see_each_other_by_event_coordinates() -> None:
    batch = random_batch(FEATURES, (6, 5), seed=2)
    encoder = Config(dim=8, coordinates="event").build(FEATURES, Scaling()).eval()
    nodes = batch.nodes.clone()
    nodes[0] = nodes[1]
    assert torch.equal(encoder(batch.replace(nodes=nodes)).nodes[1:], encoder(batch).nodes[1:])


def test_layers_end_with_the_representation() -> None:
    batch = random_batch(FEATURES, (6, 5), seed=2)
    encoder = Config(dim=8).build(FEATURES, Scaling()).eval()
    layers = encoder.layers(batch)
    assert list(layers) == ["pooled", "graph"]
    torch.testing.assert_close(layers["graph"], encoder(batch).globals)
