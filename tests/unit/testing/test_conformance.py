"""The conformance suite over every plug-in found by file name, and over plug-ins that break each rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from root_gnn.config.plugins import Allowed, config_class, names
from root_gnn.errors import MissingExtraError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_sum
from root_gnn.protocols import STILL, Augmentation, Encoder, Head, Objective, Question
from root_gnn.testing import (
    QUESTION,
    SIZES,
    TinyEncoder,
    check_augmentation,
    check_encoder,
    check_head,
    check_objective,
    random_batch,
)


def config(family: str, name: str) -> Any:
    """The plug-in's configuration with defaults, and the simplest head where it wants one."""
    section = config_class(family, name, Allowed())
    return section.model_validate({"head": "linear"} if "head" in section.model_fields else {})


@pytest.mark.parametrize("name", names("models"))
def test_every_encoder_keeps_the_contract(name: str) -> None:
    try:
        check_encoder(config("models", name).build)
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", names("heads"))
def test_every_head_keeps_the_contract(name: str) -> None:
    check_head(config("heads", name).build)


@pytest.mark.parametrize("name", names("objectives"))
def test_every_objective_keeps_the_contract(name: str) -> None:
    check_objective(config("objectives", name).build)


@pytest.mark.parametrize("name", names("augmentations"))
def test_every_augmentation_keeps_the_contract(name: str) -> None:
    check_augmentation(config("augmentations", name).build)


def test_the_plugins_of_this_release_are_found() -> None:
    assert "encode_process_decode" in names("models")
    assert {"linear", "mlp"} <= set(names("heads"))
    assert {"multiclass", "multilabel"} <= set(names("objectives"))
    assert {"reflect_eta", "rotate_phi"} <= set(names("augmentations"))


def test_random_batches_repeat_and_hold_what_the_checks_need() -> None:
    batch = random_batch(Features(), SIZES * 3, seed=1, question=QUESTION)
    again = random_batch(Features(), SIZES * 3, seed=1, question=QUESTION)
    assert torch.equal(batch.nodes, again.nodes)
    assert not torch.equal(batch.nodes, random_batch(Features(), SIZES * 3, seed=2).nodes)
    assert batch.weights is not None and bool((batch.weights < 0).any())
    assert {0, 1} <= set(batch.n_node.tolist())
    assert set(batch.labels) == {"label", *QUESTION.truth}


class Breaking(Encoder):
    """A correct encoder until `break_rule` is put between it and the world."""

    def __init__(self, features: Features, break_rule: Callable[[Batch, Batch], Batch]) -> None:
        super().__init__()
        self.tiny, self.break_rule = TinyEncoder(features), break_rule
        self.dim = self.tiny.dim

    def forward(self, batch: Batch) -> Batch:
        return self.break_rule(batch, self.tiny(batch))

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        return self.tiny.layers(batch)


def position_dependent(batch: Batch, out: Batch) -> Batch:
    place = torch.arange(batch.total_node, dtype=out.nodes.dtype).unsqueeze(1)
    return out.replace(globals=out.globals + segment_sum(out.nodes * place.cos(), batch.graph_index, batch.n_graph))


def node_position_dependent(batch: Batch, out: Batch) -> Batch:
    return out.replace(nodes=out.nodes + torch.arange(batch.total_node).unsqueeze(1))


def batch_dependent(batch: Batch, out: Batch) -> Batch:
    return out.replace(globals=out.globals + batch.n_graph)


def leaking(batch: Batch, out: Batch) -> Batch:
    return out.replace(globals=out.globals + 1e-12 * out.nodes.sum(0))


def blind_to_nodes(batch: Batch, out: Batch) -> Batch:
    return out.replace(nodes=out.nodes.detach(), globals=out.globals.detach())


def not_finite_without_nodes(batch: Batch, out: Batch) -> Batch:
    return out.replace(globals=out.globals / batch.n_node.unsqueeze(1))


def in_place(batch: Batch, out: Batch) -> Batch:
    batch.nodes.mul_(1.5)
    return out


def ids_lost(batch: Batch, out: Batch) -> Batch:
    return out.replace(ids=None)


def random_in_evaluation(batch: Batch, out: Batch) -> Batch:
    return out.replace(globals=out.globals + torch.rand(1, dtype=out.globals.dtype))


ENCODER_FAULTS: list[tuple[Callable[[Batch, Batch], Batch], str]] = [
    (position_dependent, "order of nodes changes globals"),
    (node_position_dependent, "does not permute"),
    (batch_dependent, "alone and in a batch"),
    (leaking, "depends on the nodes of another"),
    (blind_to_nodes, "require grad"),
    (not_finite_without_nodes, "NaN or infinity"),
    (in_place, "input batch was changed"),
    (ids_lost, "ids or weights were lost"),
    (random_in_evaluation, "two passes"),
]


@pytest.mark.parametrize(("fault", "message"), ENCODER_FAULTS, ids=[fault.__name__ for fault, _ in ENCODER_FAULTS])
def test_check_encoder_finds_a_fault(fault: Callable[[Batch, Batch], Batch], message: str) -> None:
    with pytest.raises((AssertionError, RuntimeError), match=message):
        check_encoder(lambda features, scaling: Breaking(features, fault))


def test_check_encoder_passes_the_correct_one() -> None:
    check_encoder(lambda features, scaling: TinyEncoder(features))
    other = Features(nodes=("pt", "eta", "phi", "energy", "d0"), globals=("n_node", "mass"))
    check_encoder(lambda features, scaling: TinyEncoder(features), features=other)


def test_check_encoder_finds_a_parameter_without_gradient() -> None:
    def build(features: Features, scaling: Scaling) -> Encoder:
        encoder = TinyEncoder(features)
        encoder.unused = nn.Linear(2, 2)
        return encoder

    with pytest.raises(AssertionError, match=r"unused\.weight gets no gradient"):
        check_encoder(build)


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


class AugmentationOf(Augmentation):
    """An augmentation that is any function."""

    def __init__(self, function: Callable[[Batch, RandomStream], Batch]) -> None:
        self.function = function

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        return self.function(batch, draws)


def stretched(batch: Batch, factor: Tensor) -> Batch:
    return batch.replace(nodes=batch.nodes * (0.5 + 0.5 * factor.to(batch.nodes.dtype)).unsqueeze(1))


def mutating(batch: Batch, draws: RandomStream) -> Batch:
    batch.nodes.mul_(0.5)
    return batch


GENERATOR = torch.Generator().manual_seed(1)
AUGMENTATION_FAULTS: dict[str, tuple[Callable[[Batch, RandomStream], Batch], str]] = {
    "mutating": (mutating, "input batch was changed"),
    "unseeded": (
        lambda b, d: stretched(b, torch.rand(b.total_node, generator=GENERATOR)),
        "same random stream gives another",
    ),
    "constant": (lambda b, d: b, "another epoch gives the same"),
    "epoch only": (
        lambda b, d: stretched(b, torch.full((b.total_node,), 1.0 / (1 + d.epoch))),
        "another view gives the same",
    ),
    "by place": (
        lambda b, d: stretched(b, torch.linspace(0, 1, b.total_node) * d.uniform_nodes(b, 0)),
        "depends on its position",
    ),
    "ids lost": (lambda b, d: stretched(b, d.uniform_nodes(b, 0)).replace(weights=None), "ids or weights changed"),
    "phi out of range": (
        lambda b, d: b.replace(nodes=b.nodes + 9.0 * d.uniform_nodes(b, 0).float().unsqueeze(1)),
        "phi left",
    ),
}


@pytest.mark.parametrize(("function", "message"), AUGMENTATION_FAULTS.values(), ids=AUGMENTATION_FAULTS)
def test_check_augmentation_finds_a_fault(function: Callable[[Batch, RandomStream], Batch], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_augmentation(lambda features: AugmentationOf(function))


@pytest.mark.parametrize("name", ["pt", "ln_m2"])
def test_check_augmentation_holds_invariants(name: str) -> None:
    class Stretch(Augmentation):
        invariants = (name,)

        def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
            scale = torch.ones_like(batch.nodes)
            scale[:, 0] = 0.5 + draws.uniform_nodes(batch, 0).float()
            return batch.replace(nodes=batch.nodes * scale)

    with pytest.raises(AssertionError, match=f"{name} is declared invariant"):
        check_augmentation(lambda features: Stretch())
