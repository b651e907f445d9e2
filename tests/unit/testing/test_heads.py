"""Every head keeps the contract, and faults of a head are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from root_gnn.config.plugins import names
from root_gnn.graph.batch import Batch
from root_gnn.protocols import Head
from root_gnn.testing import check_head

DefaultConfig = Callable[[str, str], Any]


@pytest.mark.parametrize("name", names("heads"))
def test_every_head_keeps_the_contract(name: str, default_config: DefaultConfig) -> None:
    check_head(default_config("heads", name).build)


class HeadOf(Head):
    """A head whose logits are any function of the batch and a layer."""

    def __init__(self, dim: int, n_output: int, logits: Callable[[nn.Linear, Batch], Tensor]) -> None:
        super().__init__()
        self.out, self.function = nn.Linear(dim, n_output), logits

    def features(self, batch: Batch) -> Tensor:
        return batch.globals

    def forward(self, batch: Batch) -> Tensor:
        return self.function(self.out, batch)


def test_check_head_finds_faults() -> None:
    def build(logits: Callable[[nn.Linear, Batch], Tensor]) -> Callable[[int, int], Head]:
        return lambda dim, n_output: HeadOf(dim, n_output, logits)

    check_head(build(lambda out, batch: out(batch.globals)))
    with pytest.raises(AssertionError, match="alone and in a batch"):
        check_head(build(lambda out, batch: out(batch.globals - batch.globals.mean(0))))
    with pytest.raises(AssertionError, match="logits must be"):
        check_head(build(lambda out, batch: out(batch.globals)[:, :1]))
    with pytest.raises(AssertionError, match="order of nodes"):
        check_head(
            build(lambda out, batch: out(batch.globals) + torch.cat([batch.nodes, batch.nodes.new_ones(1, 16)])[0, 0])
        )
