"""The first nodes side by side."""

from __future__ import annotations

import torch

from root_gnn.graph.batch import Batch
from root_gnn.heads.flatten import Config
from root_gnn.testing import check_head


def test_it_keeps_the_contract() -> None:
    check_head(Config().build)
    check_head(Config(n_token=3, hidden=24, n_layer=1).build)


def test_it_reads_the_first_nodes_in_their_order() -> None:
    head = Config(n_token=2).build(4, 3).eval()
    rows = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    batch = Batch.of(rows, torch.tensor([3, 1, 0, 2]), globals=torch.zeros(4, 4))
    nothing = torch.zeros(4)
    flat = torch.stack(
        [torch.cat(pair) for pair in ((rows[0], rows[1]), (rows[3], nothing), (nothing, nothing), (rows[4], rows[5]))]
    )
    torch.testing.assert_close(head(batch), head.out(head.decode(flat)))
    swapped = head(batch.replace(nodes=rows[torch.tensor([1, 0, 2, 3, 4, 5])]))
    assert not torch.allclose(swapped[0], head(batch)[0])
    without_third = head(batch.replace(nodes=rows * torch.tensor([1.0, 1, 0, 1, 1, 1]).unsqueeze(1)))
    torch.testing.assert_close(without_third, head(batch))
