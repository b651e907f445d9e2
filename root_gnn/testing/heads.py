"""The conformance check of heads."""

from __future__ import annotations

from collections.abc import Callable

import torch

from root_gnn.protocols import Head
from root_gnn.testing.assertions import (
    build_seeded,
    require,
    require_finite,
    require_gradients,
    require_same,
    scalar_of_rows,
)
from root_gnn.testing.batches import (
    SIZES,
    double_precision,
    random_representations,
    shuffled_nodes,
)
from root_gnn.testing.shapes import require_fixed_shapes


def check_head(build: Callable[[int, int], Head], *, dim: int = 16, n_output: int = 3, tolerance: float = 1e-6) -> None:
    """Checks the contract of `protocols.Head`: shapes, order of nodes, single graphs, gradients, bf16.

    `dim` is the width of the representations; `tolerance` is relative and absolute, in float64. Raises AssertionError.
    """
    head = build_seeded(lambda: build(dim, n_output), seed=1)
    batch = random_representations(SIZES, dim)
    require_gradients(head, lambda: scalar_of_rows(head(batch)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        require_finite("in bf16", scalar_of_rows(head(batch).float()))
    require_fixed_shapes(head, lambda sizes: random_representations(sizes, dim))
    head, batch = head.double().eval(), double_precision(batch)
    logits, features = head(batch), head.features(batch)
    require(logits.shape == (batch.n_graph, n_output), f"logits must be (n_graph, n_output), not {tuple(logits.shape)}")
    require(
        features.ndim == 2 and features.shape[0] == batch.n_graph,
        f"features must be (n_graph, feature_dim), not {tuple(features.shape)}",
    )
    order = shuffled_nodes(batch)
    if not head.ordered:
        require_same(
            "the order of nodes changes the logits",
            [logits],
            [head(batch.replace(nodes=batch.nodes[order]))],
            tolerance,
        )
    for graph in range(batch.n_graph):
        alone = head(batch.select(torch.tensor([graph])))
        require_same(
            f"a graph of {SIZES[graph]} nodes alone and in a batch differ",
            [logits[graph : graph + 1]],
            [alone],
            tolerance,
        )
