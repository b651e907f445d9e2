"""Moving averages: their formula, buffers, and the schedule of the momentum."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from root_gnn.nn.ema import Ema, cosine_momentum


def test_weights_are_averaged_and_buffers_are_copied() -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    average = Ema(network)
    before = [weight.clone() for weight in network.parameters()]
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(1.0)
    network(torch.randn(8, 3))
    average.advance(network, 0.9)
    for averaged, old, new in zip(average.network.parameters(), before, network.parameters(), strict=True):
        torch.testing.assert_close(averaged, 0.9 * old + 0.1 * new)
        assert not averaged.requires_grad
    for averaged, new in zip(average.network.buffers(), network.buffers(), strict=True):  # type: ignore[assignment]
        assert torch.equal(averaged, new)


def test_it_stays_in_evaluation_mode_and_is_a_copy() -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    average = Ema(network).train()
    assert not any(module.training for module in average.network.modules())
    assert average.network[0].weight is not network[0].weight


@pytest.mark.parametrize(("progress", "momentum"), [(-1.0, 0.99), (0.0, 0.99), (0.5, 0.995), (1.0, 1.0), (2.0, 1.0)])
def test_the_momentum_goes_from_first_to_last(progress: float, momentum: float) -> None:
    assert cosine_momentum(0.99, 1.0, progress) == pytest.approx(momentum)
