"""Products of features by the compiled operator against NumPy's, in every instruction set of this processor."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from root_gnn.kernels.cross import cross
from root_gnn.kernels.library import SWITCH

pytestmark = pytest.mark.compiled


@pytest.mark.parametrize(
    ("n", "p", "q"), [(1, 1, 8), (64, 7, 8), (1000, 64, 64), (130, 65, 40), (0, 3, 8), (9000, 5, 16)]
)
def test_products_are_those_of_numpy(n: int, p: int, q: int, form: str) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, p)), rng.normal(size=(n, q))
    np.testing.assert_allclose(cross(x, y, form=form), x.T @ y, rtol=1e-12, atol=1e-10)
    mine = cross(y, y, form=form)
    np.testing.assert_allclose(mine, y.T @ y, rtol=1e-12, atol=1e-10)
    np.testing.assert_array_equal(mine, mine.T)


def test_threads_share_the_rows(form: str) -> None:
    rng = np.random.default_rng(1)
    x, before = rng.normal(size=(10_001, 24)), torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        np.testing.assert_allclose(cross(x, x, form=form), x.T @ x, rtol=1e-12, atol=1e-10)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("shape", ["columns", "layout", "off"])
def test_numpy_takes_what_the_operator_does_not(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 8)), rng.normal(size=(50, 7 if shape == "columns" else 8))
    if shape == "layout":
        y = np.asfortranarray(y)
    if shape == "off":
        monkeypatch.setenv(SWITCH, "0")
    np.testing.assert_array_equal(cross(x, y), x.T @ y)
