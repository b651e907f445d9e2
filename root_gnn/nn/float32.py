"""The precision that losses are computed in."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_float32(rows: Tensor) -> Tensor:
    """The same numbers in at least float32; float64 stays float64."""
    return rows if rows.dtype == torch.float64 else rows.float()
