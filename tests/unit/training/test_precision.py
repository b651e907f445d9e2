"""Training in float64 converts batches too, whose ids stay whole numbers."""

from __future__ import annotations

import torch

from root_gnn.graph.features import Features
from root_gnn.testing import random_batch
from root_gnn.training.precision import Float64


def test_a_batch_is_converted_with_what_is_in_it() -> None:
    batch = random_batch(Features(), [2, 3], seed=1)
    converted = Float64().convert_input(batch)
    assert converted.nodes.dtype == converted.globals.dtype == torch.float64
    assert converted.n_node.dtype == torch.int64
    assert torch.equal(converted.nodes.float(), batch.nodes)


def test_tensors_are_converted_as_lightning_does() -> None:
    assert Float64().convert_input(torch.zeros(2)).dtype == torch.float64
