"""Arrays with one row per entry as branches."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from root_gnn.data.formats.fixed_rows import (
    CHUNK_BYTES,
    MOST_COLUMNS,
    MOST_ENTRIES,
    check_range,
    chunks_of,
    column_names,
    plain_attributes,
    to_awkward,
    type_text,
)
from root_gnn.errors import InputError


@pytest.mark.parametrize("shape", [(3,), (0,), (3, 2), (2, 0), (0, 4), (2, 3, 4)])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", ">i8", "?"])
def test_awkward_arrays_hold_the_same_numbers(shape: tuple[int, ...], dtype: str) -> None:
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    array = to_awkward(values)
    assert array.tolist() == values.tolist()
    assert str(ak.type(array).content) == type_text(np.dtype(dtype), shape[1:])


def test_columns_of_the_last_axis() -> None:
    assert list(column_names("x", ())) == [("x", None)]
    assert list(column_names("x", (5, 2))) == [("x", None), ("x.0", 0), ("x.1", 1)]
    assert list(column_names("x", (MOST_COLUMNS + 1,))) == [("x", None)]


@given(st.integers(0, 3 * MOST_ENTRIES), st.floats(0, 2 * CHUNK_BYTES), st.integers(1, 1000))
def test_chunks_follow_one_another(n_entry: int, entry_bytes: float, storage_rows: int) -> None:
    first_few = list(zip(range(5), chunks_of(n_entry, entry_bytes, storage_rows), strict=False))
    expected = 0
    for _, (start, stop) in first_few:
        assert start == expected < stop <= n_entry
        assert (stop - start) * entry_bytes <= max(2 * CHUNK_BYTES, 2 * entry_bytes)
        assert stop - start <= 2 * MOST_ENTRIES
        expected = stop
    assert (expected == n_entry) or len(first_few) == 5


def test_storage_chunks_are_kept_whole() -> None:
    assert list(chunks_of(250, CHUNK_BYTES / 120, 50)) == [(0, 100), (100, 200), (200, 250)]


def test_ranges_outside_of_the_file_are_refused() -> None:
    check_range("f", 0, 3, 3)
    for start, stop in ((-1, 2), (2, 1), (0, 4)):
        with pytest.raises(InputError, match="the file has 3"):
            check_range("f", start, stop, 3)


def test_attributes_become_json_values() -> None:
    attributes = {
        "a": np.float32(0.5),
        "b": b"text",
        "c": np.nan,
        "d": np.zeros(2),
        "e": np.int64(3),
        "f": np.bytes_(b"x"),
    }
    assert plain_attributes(attributes) == {"a": 0.5, "b": "text", "e": 3, "f": "x"}
