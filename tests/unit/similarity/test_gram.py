from __future__ import annotations

import numpy as np
import pytest

from root_gnn.similarity.gram import GramView, doubly_centred, u_centred


def kernel():
    x = np.random.default_rng(0).normal(size=(30, 4)) + 1.0
    return x @ x.T


def test_doubly_centred_is_h_k_h():
    h = np.eye(30) - 1.0 / 30
    np.testing.assert_allclose(doubly_centred(kernel()), h @ kernel() @ h, atol=1e-12)


def test_u_centred_has_zero_diagonal_rows_and_columns():
    found = u_centred(kernel())
    np.testing.assert_allclose(np.diag(found), 0.0)
    np.testing.assert_allclose(found.sum(axis=0), 0.0, atol=1e-10)
    np.testing.assert_allclose(found.sum(axis=1), 0.0, atol=1e-10)


def test_permuting_the_view_is_permuting_the_events():
    x = np.random.default_rng(1).normal(size=(20, 3))
    order = np.random.default_rng(2).permutation(20)
    np.testing.assert_allclose(GramView.rbf(x).permuted(order).kernel, GramView.rbf(x[order]).kernel, atol=1e-12)


def test_rbf_of_mostly_equal_events_is_finite():
    x = np.zeros((20, 1))
    x[:4] = 1.0
    assert np.all(np.isfinite(GramView.rbf(x).kernel))
    assert GramView.rbf(np.zeros((20, 1))).kernel == pytest.approx(np.zeros((20, 20)))
