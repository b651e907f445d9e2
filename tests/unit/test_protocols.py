"""Base classes of plug-ins: defaults, the selection of valid outputs, and method names of version 0.1."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import STILL, Encoder, EncoderConfig, Head, Masked, Supervised
from root_gnn.testing import TinyEncoder, check_head, random_batch
from root_gnn.testing.batches import QUESTION

SIZES = (3, 1, 2)


class FirstTwo(Head):
    """Logits are two columns of `globals`; only the second graph is valid."""

    def forward(self, batch: Batch) -> Tensor:
        return batch.globals[:, :2]

    def features(self, batch: Batch) -> Tensor:
        return batch.globals

    def valid_graphs(self, batch: Batch) -> Tensor | None:
        return torch.arange(batch.n_graph) == 1


class SumOfLogits(Supervised):
    """The loss is the sum of the logits of the graphs that count."""

    link = "softmax"

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.head = TinyEncoder(QUESTION.features), FirstTwo()

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        assert outputs.shape[0] == batch.n_graph
        return {"loss": outputs.sum()}

    def outputs(self) -> tuple[str, ...]:
        return "a", "b"


def test_only_valid_graphs_enter_the_loss() -> None:
    batch, objective = random_batch(QUESTION.features, SIZES, seed=1, question=QUESTION), SumOfLogits()
    outputs, valid = objective.valid_outputs(objective.head_outputs(batch), batch)
    assert batch.ids is not None and valid.ids is not None and valid.weights is not None and batch.weights is not None
    assert torch.equal(valid.ids, batch.ids[1:2]) and torch.equal(valid.weights, batch.weights[1:2])
    assert torch.equal(valid.labels["label"], batch.labels["label"][1:2]) and valid.total_node == 0
    assert torch.equal(outputs, objective.logits(batch)[1:2])
    assert torch.equal(objective(batch)["loss"], objective.logits(batch)[1].sum())


def test_outputs_in_half_precision_become_float32() -> None:
    batch, objective = random_batch(QUESTION.features, SIZES, seed=1), SumOfLogits().double()
    encoded = objective.encoded(batch.replace(nodes=batch.nodes.double(), globals=batch.globals.double()))
    assert objective.head_outputs_of(encoded).dtype == torch.float64
    half = encoded.replace(globals=encoded.globals.to(torch.bfloat16))
    assert objective.head_outputs_of(half).dtype == torch.float32


def test_a_head_written_for_version_0_1_works_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match=r"`hidden` is called `features` since root_gnn 0\.2"):

        class OldHead(Head):
            def __init__(self, dim: int, n_output: int) -> None:
                super().__init__()
                self.out = nn.Linear(dim, n_output)

            def hidden(self, batch: Batch) -> Tensor:
                return batch.globals

            def forward(self, batch: Batch) -> Tensor:
                logits: Tensor = self.out(self.hidden(batch))
                return logits

    check_head(lambda dim, n_output: OldHead(dim, n_output))  # type: ignore[abstract]


def test_every_old_method_name_is_accepted() -> None:
    old_names = (
        (Encoder, "found", "extra_inputs"),
        (EncoderConfig, "plain", "exportable"),
        (Head, "hidden", "features"),
        (Head, "counted", "valid_graphs"),
        (Masked, "hidden", "mask"),
        (Supervised, "answers", "head_outputs"),
        (Supervised, "answers_of", "head_outputs_of"),
        (Supervised, "counted", "valid_outputs"),
    )
    for base, old, new in old_names:

        def method(self: object, *given: object) -> object:
            return given

        with pytest.warns(DeprecationWarning, match=f"`{old}` is called `{new}`"):
            plugin = type("Old", (base,), {old: method, "__module__": __name__})
        assert getattr(plugin, new) is method
        assert new not in plugin.__abstractmethods__  # type: ignore[attr-defined]


def test_new_names_give_no_warning_and_defaults_are_empty() -> None:
    batch, head = random_batch(QUESTION.features, SIZES, seed=1), FirstTwo()
    assert Head.valid_graphs(head, batch) is None
    assert TinyEncoder(QUESTION.features).extra_inputs(batch) == {}
    assert RandomStream(seed=0, epoch=0) == STILL
