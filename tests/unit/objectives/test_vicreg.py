"""VICReg's terms against loops over features, and the sum of them."""

from __future__ import annotations

import pytest
import torch

from root_gnn.graph.features import Features
from root_gnn.nn.spread import covariance_term, variance_term
from root_gnn.objectives.vicreg import Config
from root_gnn.protocols import Question
from root_gnn.testing import TinyEncoder, check_objective, random_batch


def test_variance_and_covariance_are_those_of_loops_over_features() -> None:
    rows = torch.randn(11, 4, generator=torch.Generator().manual_seed(1)).double() * torch.tensor([0.1, 0.5, 1.0, 3.0])
    columns = [column.tolist() for column in rows.T]

    def covariance(a: list[float], b: list[float]) -> float:
        return sum((x - sum(a) / 11) * (y - sum(b) / 11) for x, y in zip(a, b, strict=True)) / 10

    variance = sum(max(0.0, 1.0 - (covariance(c, c) + 1e-4) ** 0.5) for c in columns) / 4
    assert float(variance_term(rows)) == pytest.approx(variance, rel=1e-9)
    off_diagonal = (
        sum(covariance(a, b) ** 2 for i, a in enumerate(columns) for j, b in enumerate(columns) if i != j) / 4
    )
    assert float(covariance_term(rows)) == pytest.approx(off_diagonal, rel=1e-9)


def test_one_row_has_no_spread_and_no_nan() -> None:
    row = torch.ones(1, 3, requires_grad=True)
    (variance_term(row) + covariance_term(row)).backward()
    assert row.grad is not None and bool(torch.isfinite(row.grad).all())


def test_the_loss_is_the_weighted_sum() -> None:
    check_objective(Config().build)
    objective = Config(invariance=2.0, variance=3.0, covariance=0.5).build(TinyEncoder(Features()), Question()).eval()
    losses = {
        name: float(value.detach()) for name, value in objective(random_batch(Features(), (3, 5, 2, 6), seed=1)).items()
    }
    assert losses["loss"] == pytest.approx(
        2.0 * losses["invariance"] + 3.0 * losses["variance"] + 0.5 * losses["covariance"], rel=1e-5
    )
    assert losses["alignment"] >= 0.0
