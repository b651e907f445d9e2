"""Representations from outside: numpy and torch are equal, and wrong ones are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from root_gnn.errors import InputError
from root_gnn.similarity.representation import as_matrix, centred, check_rows


def test_numpy_and_torch_become_the_same_doubles() -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    tensor = torch.from_numpy(values.copy()).requires_grad_()
    for given in (values, tensor, values.tolist()):
        matrix = as_matrix(given, "x")
        assert matrix.dtype == np.float64
        np.testing.assert_array_equal(matrix, values)


def test_wrong_shapes_and_values_are_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(3,\) for x"):
        as_matrix(np.zeros(3), "x")
    with pytest.raises(InputError, match="x of event 1 has entries that are not finite"):
        as_matrix([[0.0, 1.0], [np.nan, 1.0]], "x")


def test_means_are_zero_and_constants_exactly_so() -> None:
    rng = np.random.default_rng(1)
    matrix = np.column_stack([rng.normal(size=50), np.full(50, 0.1)])
    values = centred(matrix)
    np.testing.assert_allclose(values[:, 0], matrix[:, 0] - matrix[:, 0].mean(), atol=1e-15)
    assert (values[:, 1] == 0.0).all()
    assert centred(np.zeros((0, 2))).shape == (0, 2)


def test_events_have_to_be_the_same_and_at_least_four() -> None:
    check_rows(4, 4)
    with pytest.raises(InputError, match="4 and 5 rows"):
        check_rows(4, 5)
    with pytest.raises(InputError, match="at least four events and got 3"):
        check_rows(3, 3)
