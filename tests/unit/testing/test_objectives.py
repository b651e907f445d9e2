"""Every objective keeps the contract, and faults of an objective are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor

from root_gnn.config.plugins import names
from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import STILL, Encoder, Objective, Question
from root_gnn.testing import check_objective

DefaultConfig = Callable[[str, str], Any]


@pytest.mark.parametrize("name", names("objectives"))
def test_every_objective_keeps_the_contract(name: str, default_config: DefaultConfig) -> None:
    check_objective(default_config("objectives", name).build)


class ObjectiveOf(Objective):
    """An objective whose losses are any function of the encoded batch."""

    def __init__(self, encoder: Encoder, losses: Callable[[Batch], dict[str, Tensor]]) -> None:
        super().__init__()
        self.encoder, self.losses = encoder, losses

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        return self.losses(self.encoder(batch))


OBJECTIVE_FAULTS: list[tuple[Callable[[Batch], dict[str, Tensor]], str]] = [
    (lambda out: {"total": out.globals.sum()}, "no `loss`"),
    (lambda out: {"loss": out.globals.sum(1)}, "scalar"),
    (lambda out: {"loss": out.globals.sum() / 0.0}, "NaN or infinity"),
    (lambda out: {"loss": (out.globals.sum() * 0.0)}, "no gradient reaches"),
]


@pytest.mark.parametrize(("losses", "message"), OBJECTIVE_FAULTS)
def test_check_objective_finds_a_fault(losses: Callable[[Batch], dict[str, Tensor]], message: str) -> None:
    def build(encoder: Encoder, question: Question) -> Objective:
        return ObjectiveOf(encoder, losses)

    with pytest.raises(AssertionError, match=message):
        check_objective(build)
