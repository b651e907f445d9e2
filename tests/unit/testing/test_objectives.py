"""Every objective keeps the contract, and faults of an objective are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor

from root_gnn.config.plugins import names
from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import STILL, Encoder, Objective, Question, Supervised
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


def test_an_objective_that_changes_its_batch_is_found() -> None:
    class InPlace(ObjectiveOf):
        def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
            batch.nodes.mul_(2.0)
            return super().forward(batch, draws)

    with pytest.raises(AssertionError, match="input batch was changed"):
        check_objective(lambda encoder, question: InPlace(encoder, lambda out: {"loss": out.globals.sum()}))


class Labelled(Supervised):
    """Logits from the representation of graphs, with a loss of every logit; `change` breaks them."""

    link = "softmax"

    def __init__(self, encoder: Encoder, change: Callable[[Tensor], Tensor], *names: str) -> None:
        super().__init__()
        self.encoder, self.change, self.names = encoder, change, names

    def logits(self, batch: Batch) -> Tensor:
        return self.change(self.encoder(batch).globals[:, :2])

    def outputs(self) -> tuple[str, ...]:
        return self.names

    def head_outputs(self, batch: Batch) -> Tensor:
        return self.logits(batch)

    def valid_outputs(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, Batch]:
        return outputs, batch

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        return {"loss": outputs.float().square().mean()}


def test_logits_have_names_and_follow_the_order_of_graphs() -> None:
    def check(change: Callable[[Tensor], Tensor], *names: str) -> None:
        check_objective(lambda encoder, question: Labelled(encoder, change, *names))

    check(lambda logits: logits, "a", "b")
    with pytest.raises(AssertionError, match="for 3 outputs: a, b, c"):
        check(lambda logits: logits, "a", "b", "c")
    with pytest.raises(AssertionError, match="outputs share a name"):
        check(lambda logits: logits, "a", "a")
    with pytest.raises(AssertionError, match="the order of graphs changes the logits"):
        check(lambda logits: logits.cumsum(0), "a", "b")
