"""The linear probe."""

from __future__ import annotations

import torch

from root_gnn.graph.batch import Batch
from root_gnn.heads.linear import Config


def test_logits_are_one_matrix_product() -> None:
    head = Config().build(6, 4)
    batch = Batch.of(torch.randn(3, 6), torch.tensor([2, 1]), globals=torch.randn(2, 6))
    torch.testing.assert_close(head(batch), batch.globals @ head.out.weight.T + head.out.bias)
    assert head.features(batch) is batch.globals
    assert sum(p.numel() for p in head.parameters()) == 6 * 4 + 4
