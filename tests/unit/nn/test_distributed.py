"""Sums and means over processes where there is one; `tests/unit/training` has several."""

from __future__ import annotations

import pytest
import torch

from root_gnn.nn.distributed import gathered, mean_of_all, n_process, summed


def test_a_single_process_keeps_its_rows() -> None:
    rows = torch.arange(6.0).view(3, 2)
    assert n_process() == 1
    assert gathered(rows).rows is rows and gathered(rows).start == 0
    assert summed(rows) is rows


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("n", [3, torch.tensor(3)])
def test_the_mean_of_a_single_process_is_its_own(n: int | torch.Tensor, together: bool) -> None:
    assert float(mean_of_all(torch.tensor(6.0), n, together=together, n_all=3)) == 2.0
    assert float(mean_of_all(torch.tensor(0.0), 0, together=together)) == 0.0
