from __future__ import annotations

import numpy as np
import pytest

from root_gnn.similarity.gram import u_centred
from root_gnn.similarity.linear import LinearView


@pytest.mark.parametrize("is_debiased", [True, False])
def test_terms_sum_to_the_dependence(is_debiased):
    x, y = (np.random.default_rng(seed).normal(size=(40, dim)) for seed, dim in ((0, 5), (1, 3)))
    one, other = LinearView.of(x, is_debiased=is_debiased), LinearView.of(y, is_debiased=is_debiased)
    assert one.terms(other).sum() == pytest.approx(one.dependence(other), rel=1e-12)


def test_debiased_terms_are_row_sums_of_u_centred_kernels():
    x, y = (np.random.default_rng(seed).normal(size=(40, dim)) + 2.0 for seed, dim in ((0, 5), (1, 3)))
    expected = (u_centred(x @ x.T) * u_centred(y @ y.T)).sum(axis=1)
    found = LinearView.of(x, is_debiased=True).terms(LinearView.of(y, is_debiased=True))
    np.testing.assert_allclose(found, expected, atol=1e-10)
