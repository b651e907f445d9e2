"""Names of array types, by what the elements are; shapes stand in docstrings."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Singles: TypeAlias = NDArray[np.float32]
AnyFloats: TypeAlias = NDArray[np.floating[Any]]
Integers: TypeAlias = NDArray[np.int64]
AnyIntegers: TypeAlias = NDArray[np.integer[Any]]
Booleans: TypeAlias = NDArray[np.bool_]
Complexes: TypeAlias = NDArray[np.complex128]
Numbers: TypeAlias = NDArray[Any]
Index: TypeAlias = Integers
"""Positions of events, nodes or rows in an array."""
