"""Dropout by sixteen bits: rates, means, gradients and seeds."""

from __future__ import annotations

import pytest
import torch

from root_gnn.kernels.dropout import Dropout, dropout
from root_gnn.kernels.library import SWITCH

N = 400_000


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.93])
def test_rate_scale_and_independence(rate: float) -> None:
    torch.manual_seed(1)
    out = dropout(torch.ones(4, N // 4), rate)
    kept = out != 0
    assert abs(float(kept.float().mean()) - (1 - rate)) < 5 * (rate * (1 - rate) / N) ** 0.5
    torch.testing.assert_close(out[kept], torch.full_like(out[kept], 1 / (1 - rate)), rtol=1e-4 / (1 - rate), atol=0.0)
    assert float(out[kept][0]) * (1 - round(rate * 2**16) / 2**16) == pytest.approx(1.0, abs=1e-6)  # the mean is exact
    neighbours = torch.stack([kept[:, :-4].flatten(), kept[:, 4:].flatten()]).float()  # of other words of the generator
    within = torch.stack([kept[:, :-1].flatten(), kept[:, 1:].flatten()]).float()
    for pair in (neighbours, within):
        assert abs(float(torch.corrcoef(pair)[0, 1])) < 5 / N**0.5


def test_the_gradient_is_zero_where_the_number_is() -> None:
    rows = torch.randn(37, 11, requires_grad=True)
    out = dropout(rows, 0.3)
    out.sum().backward()
    assert rows.grad is not None
    torch.testing.assert_close(out, rows * rows.grad)
    assert sorted(rows.grad.unique().tolist()) == pytest.approx([0.0, 1 / 0.7], rel=1e-4)


def test_seeds_evaluation_and_ends() -> None:
    rows, layer = torch.randn(50, 50), Dropout(0.4)
    outs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outs.append(layer(rows))
    assert torch.equal(outs[0], outs[1])
    assert not torch.equal(outs[0], outs[2])
    assert layer.eval()(rows) is rows
    assert dropout(rows, 0.0) is rows
    assert not dropout(rows, 1.0).any()
    assert dropout(rows[:0], 0.4).shape == (0, 50)
    assert dropout(rows.double(), 0.4).dtype == torch.float64


def test_the_switch_for_plain_pytorch_holds_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    rows = torch.ones(1000)
    torch.manual_seed(1)
    got = dropout(rows, 0.3)
    torch.manual_seed(1)
    assert torch.equal(got, torch.nn.functional.dropout(rows, 0.3))
