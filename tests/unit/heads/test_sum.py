"""The sum over nodes."""

from __future__ import annotations

import torch

from root_gnn.graph.batch import Batch
from root_gnn.heads.sum import Config
from root_gnn.testing import check_head


def test_it_keeps_the_contract() -> None:
    check_head(Config().build)
    check_head(Config(hidden=24, n_layer=1).build)


def test_nodes_add_up() -> None:
    head = Config().build(4, 3).eval()
    rows = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    batch = Batch.of(rows, torch.tensor([3, 1, 2]), globals=torch.zeros(3, 4))
    merged = Batch.of(
        torch.stack([rows[:3].sum(0), rows[3], rows[4:].sum(0)]), torch.tensor([1, 1, 1]), globals=torch.ones(3, 4)
    )
    torch.testing.assert_close(head(merged), head(batch), rtol=1e-4, atol=1e-5)
