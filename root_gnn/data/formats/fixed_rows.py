"""Branches from arrays with one row per entry: their names, types and conversion to awkward arrays."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, prod
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.errors import InputError

CHUNK_BYTES = 64 * 2**20  # of decoded branches in one chunk
MOST_ENTRIES = 200_000
MOST_COLUMNS = 4096  # an array with more columns is one branch only
NUMBERS = "biuf"


def check_range(path: Any, start: int, stop: int, n_entry: int) -> None:
    """Raises InputError unless the file has the entries `start .. stop - 1`."""
    if not 0 <= start <= stop <= n_entry:
        raise InputError(f"{path}: entries {start} to {stop - 1} were requested; the file has {n_entry}.")


def column_names(name: str, shape: tuple[int, ...]) -> Iterator[tuple[str, int | None]]:
    """Names and columns of the branches of an array: the whole (column None), then `name.0`, `name.1` .

    Of its last axis.

    `shape` is that of one row.
    """
    yield name, None
    if shape and shape[-1] <= MOST_COLUMNS:
        yield from ((f"{name}.{column}", column) for column in range(shape[-1]))


def type_text(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    """The type of one row in awkward's words: `float32`, `10 * float32`, `150 * 11 * float32`."""
    return " * ".join([*map(str, shape), "string" if dtype.kind in "SUO" else dtype.name])


def to_awkward(values: NDArray[Any]) -> Any:
    """Numbers `(n_entry, ...)` as an awkward array with regular lists, in native byte order."""
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    if values.ndim == 1:
        return ak.Array(values)
    layout: Any = ak.contents.NumpyArray(np.ascontiguousarray(values).reshape(-1))
    for axis in range(values.ndim - 1, 0, -1):
        layout = ak.contents.RegularArray(layout, values.shape[axis], zeros_length=prod(values.shape[:axis]))
    return ak.Array(layout)


def chunks_of(n_entry: int, entry_bytes: float, storage_rows: int = 1) -> Iterator[tuple[int, int]]:
    """Ranges `(start, stop)` of entries with about `CHUNK_BYTES` bytes.

    `entry_bytes` is the size of an entry. Ranges consist of whole storage chunks of `storage_rows` rows, unless such a
    chunk is more than twice as long as a range.
    """
    step = max(1, min(MOST_ENTRIES, int(CHUNK_BYTES / max(entry_bytes, 1.0))))
    if storage_rows <= 2 * step:
        step = max(1, step // storage_rows) * storage_rows
    for start in range(0, n_entry, step):
        yield start, min(start + step, n_entry)


def plain_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes that are a finite number or a text, as JSON values."""
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
