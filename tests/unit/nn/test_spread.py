"""Variance and covariance terms of VICReg against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from root_gnn.nn.spread import covariance_term, even_features, variance_term

ROWS = torch.randn(40, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 0.7


@pytest.mark.parametrize("together", [True, False])  # one process alone: the same
def test_terms_are_those_of_the_paper(together: bool) -> None:
    covariance = np.cov(ROWS.numpy(), rowvar=False)
    variance = np.maximum(0.0, 1.0 - np.sqrt(np.diag(covariance) + 1e-4)).mean()
    off_diagonal = (np.square(covariance).sum() - np.square(np.diag(covariance)).sum()) / 6
    assert float(variance_term(ROWS, together=together)) == pytest.approx(variance, rel=1e-10)
    assert float(covariance_term(ROWS, together=together)) == pytest.approx(off_diagonal, rel=1e-10)


def test_collapsed_rows_are_worst_and_spread_rows_cost_nothing() -> None:
    assert float(variance_term(torch.ones(5, 3))) == pytest.approx(1.0 - 1e-2, rel=1e-5)
    assert float(variance_term(10.0 * ROWS)) == 0.0


def test_features_are_standardised_and_a_single_row_has_neither_term() -> None:
    even = even_features(ROWS)
    torch.testing.assert_close(even.mean(0), torch.zeros(6, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(even.var(0, unbiased=False), torch.ones(6, dtype=torch.float64), rtol=1e-4, atol=0)
    one = ROWS[:1]
    assert torch.equal(even_features(one), one)
    assert float(variance_term(one)) == float(covariance_term(one)) == 0.0
