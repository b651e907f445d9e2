"""Correlations of features beside numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.study.redundancy import redundancy


def test_features_that_go_together_stand_side_by_side_and_constant_ones_are_left_out() -> None:
    generator = np.random.default_rng(1)
    a, b = generator.normal(size=(2, 4000))
    noise = 0.1 * generator.normal(size=(4000, 4))
    z = np.stack([a, b, -a, b, np.ones(4000)], axis=1) + np.column_stack([noise, np.zeros(4000)])
    found = redundancy(z)
    expected = np.corrcoef(z[:, :4].T)
    assert found.n_feature == 5 and found.matrix.shape == (4, 4)
    np.testing.assert_allclose(np.sort(found.matrix.ravel()), np.sort(expected.ravel()), atol=1e-12)
    assert abs(found.matrix[0, 1]) > 0.9 and abs(found.matrix[2, 3]) > 0.9 and abs(found.matrix[1, 2]) < 0.1
    assert found.strength == pytest.approx(np.abs(expected[np.triu_indices(4, 1)]).mean())


def test_independent_features_are_as_strong_as_chance() -> None:
    found = redundancy(np.random.default_rng(2).normal(size=(500, 40)))
    assert found.strength == pytest.approx(found.chance, rel=0.1)
    assert redundancy(np.ones((10, 3))).strength is None
