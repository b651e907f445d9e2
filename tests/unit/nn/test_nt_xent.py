"""The contrastive loss against its formula over all pairs; alignment and uniformity against loops."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from root_gnn.kernels.library import SWITCH
from root_gnn.nn.nt_xent import alignment, nt_xent, uniformity


def views(n: int, seed: int) -> Tensor:
    return torch.randn(n, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_definition(first: Tensor, second: Tensor, temperature: float, *, with_positive: bool) -> Tensor:
    rows, n = F.normalize(torch.cat([first, second]), dim=1), len(first)
    losses = []
    for i in range(2 * n):
        positive = (i + n) % (2 * n)
        others = [k for k in range(2 * n) if k != i and (with_positive or k != positive)]
        similarity = rows @ rows[i] / temperature
        losses.append(torch.logsumexp(similarity[others], 0) - similarity[positive])
    return torch.stack(losses).mean()


@pytest.mark.parametrize("with_positive", [True, False])
@pytest.mark.parametrize("n", [2, 7])
def test_the_loss_and_its_gradient_are_those_of_the_definition(n: int, with_positive: bool) -> None:
    first, second = views(n, 1).requires_grad_(), views(n, 2).requires_grad_()
    got = nt_xent(first, second, temperature=0.2, positive_in_denominator=with_positive)
    expected = by_definition(first, second, 0.2, with_positive=with_positive)
    torch.testing.assert_close(got, expected)
    gradients = [torch.autograd.grad(loss, (first, second)) for loss in (got, expected)]
    for mine, reference in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, reference)


@pytest.mark.parametrize("switch", ["0", "1"])
def test_single_precision_with_and_without_the_compiled_operator(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, switch)
    first, second = views(9, 3), views(9, 4)
    got = nt_xent(first.float(), second.float(), temperature=0.1, positive_in_denominator=True)
    # similarities / T are at most 10, each off by a few roundings of float32
    assert float(got) == pytest.approx(float(by_definition(first, second, 0.1, with_positive=True)), abs=1e-5)


def test_a_single_object_has_nothing_to_contrast_with() -> None:
    assert float(nt_xent(views(1, 1), views(1, 2), temperature=0.1, positive_in_denominator=True)) == 0.0


def test_alignment_and_uniformity_are_those_of_the_definition() -> None:
    first, second = F.normalize(views(6, 1), dim=1), F.normalize(views(6, 2), dim=1)
    apart = [float((a - b).square().sum()) for a, b in zip(first, second, strict=True)]
    assert float(alignment(views(6, 1), views(6, 2))) == pytest.approx(sum(apart) / 6)
    pairs = [torch.exp(-2.0 * (a - b).square().sum()) for a, b in itertools.combinations(first, 2)]
    assert float(uniformity(views(6, 1))) == pytest.approx(float(torch.stack(pairs).mean().log()))
