"""A token that asks the nodes: weights that are a softmax over real nodes only."""

from __future__ import annotations

import pytest
import torch

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.heads.class_attention import Config
from root_gnn.testing import check_head


def test_it_keeps_the_contract() -> None:
    check_head(Config().build)
    check_head(Config(n_block=1, dropout=0.1, bucket_nodes=3).build, dim=24)


def test_buckets_change_nothing() -> None:
    rows = torch.randn(40, 16, generator=torch.Generator().manual_seed(1))
    batch = Batch.of(rows, torch.tensor([20, 0, 3, 16, 1]), globals=torch.zeros(5, 16))
    one = Config(bucket_nodes=10_000).build(16, 3).eval()
    many = Config(bucket_nodes=1).build(16, 3).eval()
    many.load_state_dict(one.state_dict())
    torch.testing.assert_close(many(batch), one(batch), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("dim", "expected"), [(64, 8), (16, 2), (24, 1), (20, 1), (128, 8)])
def test_heads_share_the_width_as_far_as_they_can(dim: int, expected: int) -> None:
    head = Config().build(dim, 2)
    assert head.ask.blocks[0].attention.n_head == expected


def test_heads_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="multiple of 8"):
        Config(n_head=4).build(24, 2)
