"""Every augmentation keeps the contract, and faults of an augmentation are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from root_gnn.config.plugins import names
from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import Augmentation
from root_gnn.testing import check_augmentation

DefaultConfig = Callable[[str, str], Any]


@pytest.mark.parametrize("name", names("augmentations"))
def test_every_augmentation_keeps_the_contract(name: str, default_config: DefaultConfig) -> None:
    check_augmentation(default_config("augmentations", name).build)


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
