"""The compiled contrastive loss against its formula in double precision, in every instruction set of this processor."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from root_gnn.kernels.nt_xent import LOWEST_TEMPERATURE, compiled_nt_xent

pytestmark = pytest.mark.compiled


@pytest.mark.parametrize(
    ("n", "dim", "temperature"), [(2, 16, 0.1), (31, 16, 1.0), (33, 48, LOWEST_TEMPERATURE), (100, 128, 0.2)]
)
def test_loss_and_gradient_are_those_of_the_formula(n: int, dim: int, temperature: float, form: str) -> None:
    generator = torch.Generator().manual_seed(n)
    views = torch.randn(2 * n, dim, generator=generator)
    views[n] = -views[0]  # partners as far from each other as can be
    loss, gradient = compiled_nt_xent(
        views[:n], views[n:], temperature=temperature, shortest=1e-8, with_gradient=True, form=form
    )

    rows = views.double().requires_grad_()
    unit = F.normalize(rows, dim=1)
    logits = (unit @ unit.T / temperature).fill_diagonal_(-torch.inf)
    expected = F.cross_entropy(logits, (torch.arange(2 * n) + n) % (2 * n))
    expected.backward()
    assert gradient is not None and rows.grad is not None
    torch.testing.assert_close(loss.double(), expected.detach(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(gradient.double(), rows.grad, rtol=1e-5, atol=1e-5 * float(rows.grad.abs().max()))


def test_a_row_without_a_direction_is_divided_by_the_shortest_length(form: str) -> None:
    first, second = torch.ones(3, 16), torch.eye(3, 16)
    first[1] = 0.0
    loss, gradient = compiled_nt_xent(first, second, temperature=0.5, shortest=0.5, with_gradient=True, form=form)
    unit = torch.cat([first, second]).double()
    unit /= unit.norm(dim=1, keepdim=True).clamp(min=0.5)
    expected = F.cross_entropy((unit @ unit.T / 0.5).fill_diagonal_(-torch.inf), torch.tensor([3, 4, 5, 0, 1, 2]))
    assert gradient is not None and bool(torch.isfinite(gradient).all())
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)


def test_no_gradient_is_made_where_none_is_wanted() -> None:
    assert (
        compiled_nt_xent(torch.ones(2, 16), torch.ones(2, 16), temperature=0.5, shortest=1e-8, with_gradient=False)[1]
        is None
    )
