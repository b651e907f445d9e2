"""Every encoder keeps the contract, and each fault of an encoder is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from root_gnn.config.plugins import names
from root_gnn.errors import MissingExtraError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_sum
from root_gnn.protocols import Encoder
from root_gnn.testing import TinyEncoder, check_encoder

DefaultConfig = Callable[[str, str], Any]


@pytest.mark.parametrize("name", names("models"))
def test_every_encoder_keeps_the_contract(name: str, default_config: DefaultConfig) -> None:
    try:
        check_encoder(default_config("models", name).build)
    except MissingExtraError as error:
        pytest.skip(str(error))


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
