"""Learning rates: the ratio of backbone to head is what it is said to be, at every step of every schedule."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

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
    rates = trained(OptimConfig(lr=2e-3, backbone_lr_scale=scale, schedule=name, warmup=0.2, gamma=0.5))  # type: ignore[arg-type]
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
    assert {group.name: (group.n_parameter, group.weight_decay) for group in found} == {"head": (8, 0.3), "head_no_decay": (2, 0.0)}


def test_every_parameter_is_in_one_group() -> None:
    pair = Pair()
    found = groups(pair.encoder, pair, OptimConfig())
    together = [parameter for group in found for parameter in group.parameters]
    assert len(together) == len({id(parameter) for parameter in together}) == len(list(pair.parameters()))
