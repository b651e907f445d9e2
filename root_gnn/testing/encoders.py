"""The conformance check of encoders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.protocols import Encoder
from root_gnn.testing.assertions import (
    build_seeded,
    representations,
    require,
    require_finite,
    require_gradients,
    require_same,
    scalar_of_batch,
    tensor_values,
)
from root_gnn.testing.batches import (
    SIZES,
    double_precision,
    random_batch,
    shuffled_nodes,
)
from root_gnn.testing.shapes import require_fixed_shapes


def check_encoder(
    build: Callable[[Features, Scaling], Encoder], *, features: Features | None = None, tolerance: float = 1e-6
) -> None:
    """Checks the contract of `protocols.Encoder` on a new encoder.

    Permuting nodes permutes `nodes` and leaves `globals`; graphs depend on each other neither in value nor in gradient;
    graphs with one node and with none are accepted; every parameter gets a gradient; bf16 stays finite; the state dict
    holds all weights. `tolerance` is relative and absolute, in float64. Raises AssertionError.
    """
    features = features or Features()
    batch = random_batch(features, SIZES, seed=1)
    scaling = Scaling.fit([random_batch(features, (6,) * 50, seed=2)], features)
    encoder = build_seeded(lambda: build(features, scaling), seed=3)
    require_gradients(encoder, lambda: scalar_of_batch(encoder(batch)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        require_finite("in bf16", scalar_of_batch(encoder(batch)))
    require_fixed_shapes(encoder, lambda sizes: random_batch(features, sizes, seed=6))
    encoder, batch = encoder.double().eval(), double_precision(batch)
    before = tensor_values(batch)
    out = encoder(batch)
    require_same("the input batch was changed", before, tensor_values(batch), 0.0)
    _check_representations(encoder, batch, out)
    require_same(
        "two passes in evaluation mode differ", representations(out), representations(encoder(batch)), tolerance
    )
    _check_permutation(encoder, batch, out, tolerance)
    for graph in range(batch.n_graph):
        rows = batch.graph_index == graph
        alone = encoder(batch.select(torch.tensor([graph])))
        text = f"a graph of {SIZES[graph]} nodes alone and in a batch differ"
        require_same(text, [out.nodes[rows], out.globals[graph : graph + 1]], representations(alone), tolerance)
    _check_no_gradient_between_graphs(encoder, batch)
    other = build_seeded(lambda: build(features, scaling), seed=4).double().eval()
    other.load_state_dict(encoder.state_dict(), strict=True)
    require_same(
        "loading the state dict does not carry the weights over",
        representations(out),
        representations(other(batch)),
        tolerance,
    )


def _check_representations(encoder: Encoder, batch: Batch, out: Batch) -> None:
    require(
        out.nodes.shape == (batch.total_node, encoder.dim),
        f"nodes must be (total_node, dim), not {tuple(out.nodes.shape)}",
    )
    require(
        out.globals.shape == (batch.n_graph, encoder.dim),
        f"globals must be (n_graph, dim), not {tuple(out.globals.shape)}",
    )
    require(torch.equal(out.n_node, batch.n_node) and out.n_edge == batch.n_edge, "the topology changed")
    kept = all(
        a is not None and b is not None and torch.equal(a, b)
        for a, b in ((out.ids, batch.ids), (out.weights, batch.weights))
    )
    require(kept, "ids or weights were lost")
    require_finite("the representations", *representations(out))
    layers = encoder.layers(batch)
    require(len(layers) > 0, "layers() names no representation")
    for name, rows in layers.items():
        require(
            rows.ndim == 2 and rows.shape[0] == batch.n_graph,
            f"layer {name} must be (n_graph, layer_dim), not {tuple(rows.shape)}",
        )
        require_finite(f"layer {name}", rows)


def _check_permutation(encoder: Encoder, batch: Batch, out: Batch, tolerance: float) -> None:
    order = shuffled_nodes(batch)
    permuted = encoder(batch.replace(nodes=batch.nodes[order]))
    require_same("the order of nodes changes globals", [out.globals], [permuted.globals], tolerance)
    require_same(
        "permuting the nodes does not permute their representations", [out.nodes[order]], [permuted.nodes], tolerance
    )


def _check_no_gradient_between_graphs(encoder: Encoder, batch: Batch) -> None:
    for graph in range(batch.n_graph):
        leaf = batch.replace(nodes=batch.nodes.clone().requires_grad_())
        out = encoder(leaf)
        own = batch.graph_index == graph
        scalar: Any = scalar_of_batch(out.replace(nodes=out.nodes[own], globals=out.globals[graph : graph + 1]))
        scalar.backward()
        gradient = leaf.nodes.grad
        leaked = gradient is not None and bool((gradient[~own] != 0).any())
        require(not leaked, "the representation of one graph depends on the nodes of another")
