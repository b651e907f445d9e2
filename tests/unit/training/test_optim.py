"""Learning rates: the ratio of backbone to head is what it is said to be, at every step of every schedule."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from root_gnn.config.loader import load
from root_gnn.config.shipped import find, shipped_names
from root_gnn.graph.features import Features
from root_gnn.objectives.contrastive import Config as Contrastive
from root_gnn.protocols import Question
from root_gnn.runs.recipe import Recipe
from root_gnn.testing import TinyEncoder, random_batch
from root_gnn.training.module import TrainingModule
from root_gnn.training.optim import OptimConfig, groups, optimizer, schedule, scheduler


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.head = nn.Linear(3, 4), nn.Linear(4, 2)


def trained(optim: OptimConfig, n_step: int = 40) -> list[dict[str, float]]:
    """The real rates of every group before each of `n_step` steps."""
    pair = Pair()
    adam = optimizer(groups(pair.encoder, pair, optim), optim)
    course = scheduler(adam, optim, n_step=n_step, steps_per_epoch=10)
    rates = []
    for _ in range(n_step):
        rates.append({str(group["name"]): group["lr"] for group in adam.param_groups})
        pair.head(pair.encoder(torch.ones(1, 3))).sum().backward()
        adam.step()
        course.step()
    return rates


@pytest.mark.parametrize("name", ["constant", "cosine", "exponential"])
@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_backbone_stays_at_its_fraction_of_the_head(name: str, scale: float) -> None:
    rates = trained(OptimConfig(lr=2e-3, backbone_lr_scale=scale, schedule=name, warmup=0.2, gamma=0.5))
    for step in (0, 20, 39):
        assert rates[step]["head"] > 0
        assert rates[step]["backbone"] == pytest.approx(scale * rates[step]["head"], rel=1e-12)
        assert rates[step]["backbone_no_decay"] == rates[step]["backbone"]
    assert max(rate["head"] for rate in rates) == pytest.approx(2e-3)


def test_a_group_that_a_schedule_forgets_is_noticed() -> None:
    """weaver-core decayed only the multiplied groups: here both end lower than they began, by the same factor."""
    rates = trained(OptimConfig(lr=1e-3, backbone_lr_scale=0.1, schedule="cosine", warmup=0.0))
    assert rates[-1]["head"] / rates[0]["head"] == pytest.approx(rates[-1]["backbone"] / rates[0]["backbone"])
    assert rates[-1]["head"] < 0.05 * rates[0]["head"]


def test_schedules_against_their_formulas() -> None:
    cosine = schedule(OptimConfig(schedule="cosine", warmup=0.1), n_step=100, steps_per_epoch=10)
    assert cosine(0) == pytest.approx(0.1) and cosine(9) == pytest.approx(1.0) and cosine(10) == pytest.approx(1.0)
    assert cosine(55) == pytest.approx(0.5 * (1 + math.cos(math.pi * 45 / 90)))
    assert cosine(100) == pytest.approx(0.0, abs=1e-12)
    falling = schedule(OptimConfig(schedule="exponential", gamma=0.9, warmup=0.0), n_step=100, steps_per_epoch=10)
    assert [falling(0), falling(9), falling(10), falling(35)] == pytest.approx([1.0, 1.0, 0.9, 0.9**3])


def test_ramp_raises_the_backbone_from_zero_to_its_fraction() -> None:
    rates = trained(OptimConfig(lr=1e-3, backbone_lr_scale=0.1, backbone_ramp=10, schedule="constant", warmup=0.0))
    assert [rate["backbone"] / rate["head"] for rate in rates[:3]] == pytest.approx([0.01, 0.02, 0.03])
    assert rates[20]["backbone"] / rates[20]["head"] == pytest.approx(0.1)


def test_frozen_backbone_is_in_no_group_and_norms_are_not_decayed() -> None:
    pair = Pair()
    pair.encoder.requires_grad_(False)
    found = groups(pair.encoder, pair, OptimConfig(backbone_lr_scale=0.0, weight_decay=0.3))
    assert {group.name: (group.n_parameter, group.weight_decay) for group in found} == {
        "head": (8, 0.3),
        "head_no_decay": (2, 0.0),
    }


def test_every_parameter_is_in_one_group() -> None:
    pair = Pair()
    found = groups(pair.encoder, pair, OptimConfig())
    together = [parameter for group in found for parameter in group.parameters]
    assert len(together) == len({id(parameter) for parameter in together}) == len(list(pair.parameters()))


def test_what_bf16_is_said_to_need_reaches_the_optimiser() -> None:
    """Steps clipped at 0.1 and Adam's eps at 1e-4, as the JetCLR recipe asks for, in one fused kernel."""
    optim = load(Recipe, find("pretrain_jetclr", "recipe")).optim
    assert (optim.clip_norm, optim.eps) == (0.1, 1e-4)
    batch = random_batch(Features(), (5, 3, 8, 2), seed=1)
    module = TrainingModule(Contrastive(temperature=0.01).build(TinyEncoder(Features()), Question()), optim)
    adam = module.configure_optimizers()["optimizer"]
    assert all(group["eps"] == 1e-4 and group["fused"] for group in adam.param_groups)
    module.objective(batch)["loss"].backward()
    parameters = [parameter for parameter in module.parameters() if parameter.grad is not None]
    before = float(
        torch.nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    )
    module.configure_gradient_clipping(adam)
    after = float(
        torch.nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    )
    assert before > 0.1 and after == pytest.approx(0.1, rel=1e-4)


WIDTHS = ("dim", "width", "hidden", "projector", "embedding", "pair_hidden")


@pytest.mark.parametrize("name", [name for name in shipped_names("recipe") if name.startswith("pretrain")])
def test_widths_of_shipped_recipes_are_multiples_of_eight(name: str) -> None:
    recipe = load(Recipe, find(name, "recipe"))
    found = [width for part in (recipe.model, recipe.objective) for width in widths(part.model_dump())]
    assert found and not [width for width in found if width % 8]


def widths(section: dict[str, Any]) -> list[int]:
    """All numbers under keys that are widths of layers."""
    found: list[int] = []
    for key, value in section.items():
        if isinstance(value, dict):
            found += widths(value)
        elif key in WIDTHS and value is not None and not isinstance(value, str):
            found += [value] if isinstance(value, int) else value
    return found
