"""Half precision becomes float32, and float64 is left alone."""

from __future__ import annotations

import pytest
import torch

from root_gnn.nn.float32 import at_least_float32


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_precision_is_never_lost(before: torch.dtype, after: torch.dtype) -> None:
    rows = torch.tensor([1.5, -2.0], dtype=before)
    assert at_least_float32(rows).dtype == after
    assert torch.equal(at_least_float32(rows).double(), rows.double())
