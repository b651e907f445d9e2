"""Which library's functions fit an array: NumPy's, or PyTorch's for tensors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Array = TypeVar("Array", NDArray[np.floating[Any]], Tensor)


def namespace(x: Any) -> Any:
    """The module, numpy or torch, with `sqrt`, `cos`, `arctan2` and so on for `x`; a NumPy array imports no PyTorch."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(x, torch.Tensor) else np
