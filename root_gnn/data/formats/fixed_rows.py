"""NumPy arrays with one row per entry, as branches: their names, types and awkward form."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, prod
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.errors import InputError

CHUNK_BYTES = 64 * 2**20  # decoded, of what is read
MOST_ENTRIES = 200_000
MOST_COLUMNS = 4096  # of an array whose columns are listed one by one
NUMBERS = "biuf"


def check_range(path: Any, start: int, stop: int, n_entry: int) -> None:
    """Raises InputError where `start .. stop - 1` are no entries of the file."""
    if not 0 <= start <= stop <= n_entry:
        raise InputError(f"{path}: entries {start} to {stop - 1} were asked for; the file has {n_entry}.")


def column_names(name: str, shape: tuple[int, ...]) -> Iterator[tuple[str, int | None]]:
    """A branch's own name, and `name.0`, `name.1` ... for the columns (last axis) of rows with this shape."""
    yield name, None
    if shape and shape[-1] <= MOST_COLUMNS:
        yield from ((f"{name}.{column}", column) for column in range(shape[-1]))


def type_words(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    """The type of one row in awkward's words: `float32`, `10 * float32`, `150 * 11 * float32`."""
    return " * ".join([*map(str, shape), "string" if dtype.kind in "SUO" else dtype.name])


def to_awkward(values: NDArray[Any]) -> Any:
    """`(n_entry, ...)` numbers as an awkward array of lists with fixed lengths; native byte order."""
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    if values.ndim == 1:
        return ak.Array(values)
    layout: Any = ak.contents.NumpyArray(np.ascontiguousarray(values).reshape(-1))
    for axis in range(values.ndim - 1, 0, -1):
        layout = ak.contents.RegularArray(layout, values.shape[axis], zeros_length=prod(values.shape[:axis]))
    return ak.Array(layout)


def chunks_of(n_entry: int, entry_bytes: float, storage_rows: int = 1) -> Iterator[tuple[int, int]]:
    """Ranges of about `CHUNK_BYTES`, in whole steps of the rows that are stored together unless those are far too many."""
    step = max(1, min(MOST_ENTRIES, int(CHUNK_BYTES / max(entry_bytes, 1.0))))
    if storage_rows <= 2 * step:
        step = max(1, step // storage_rows) * storage_rows
    for start in range(0, n_entry, step):
        yield start, min(start + step, n_entry)


def plain_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    """Those that are a finite number or a text, as JSON values."""
    texts = {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        for name, value in attributes.items()
    }
    values = {name: value.item() if isinstance(value, np.generic) else value for name, value in texts.items()}
    plain = {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else value for name, value in values.items()
    }
    return {
        name: value
        for name, value in plain.items()
        if isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))
    }
