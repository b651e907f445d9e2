"""Branches as flat arrays, against Python lists."""

from __future__ import annotations

import math
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from root_gnn.data.reading.columns import (
    BranchLocation,
    Columns,
    CountCache,
    check_momentum,
    equals_any,
    fill_columns,
    flat,
    nonfinite,
    replaced,
    whole,
)
from root_gnn.errors import InputError
from root_gnn.typing import Numbers

HERE = BranchLocation(Path("f.root"), "x", 10)
LISTS = st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=6)


@given(LISTS)
def test_lists_are_flat_numbers_with_counts(lists: list[list[int]]) -> None:
    array = ak.values_astype(ak.Array(lists), np.int64) if any(lists) else ak.Array(lists)
    numbers, count = flat(array, HERE)
    assert numbers.tolist() == [value for part in lists for value in part]
    assert count is not None and count.tolist() == [len(part) for part in lists]


@given(LISTS, st.integers(0, 9))
def test_selected_objects_are_those_of_a_loop(lists: list[list[int]], above: int) -> None:
    values = np.array([value for part in lists for value in part], dtype=np.int64)
    columns = Columns({"x": values}, np.array([len(part) for part in lists]))
    kept = [[value for value in part if value > above] for part in lists]
    selected = columns.select(values > above)
    assert selected.features["x"].tolist() == [value for part in kept for value in part]
    assert selected.count is not None and selected.count.tolist() == [len(part) for part in kept]
    graphs = np.array([len(part) > 1 for part in lists])
    of_graphs = columns.select_graphs(graphs)
    assert of_graphs.features["x"].tolist() == [value for part in lists if len(part) > 1 for value in part]


def test_equal_counts_are_one_array() -> None:
    known: CountCache = []
    first = flat(ak.Array([[1], [2, 3]]), HERE, known)[1]
    assert flat(ak.Array([[5], [6, 7]]), HERE, known)[1] is first
    assert flat(ak.Array([[5, 6], [7]]), HERE, known)[1] is not first


@pytest.mark.parametrize("array", [ak.Array(["a"]), ak.Array([[[1]]]), ak.Array([{"a": 1}])])
def test_what_is_no_number_is_refused(array: ak.Array) -> None:
    with pytest.raises(InputError, match=r"branch x has the type .*; a number, or a list of numbers, per entry"):
        flat(array, HERE)


def test_the_first_bad_value_is_named_with_its_entry() -> None:
    location = BranchLocation(Path("f.root"), "x", 10, np.array([2, 0, 1]))
    with pytest.raises(InputError, match=r"f\.root: branch x has odd \(7.0\) in entry 12, 1 of the 3 values .* advice"):
        location.refuse(np.array([False, False, True]), "odd", np.array([5.0, 6.0, 7.0]), "advice")


def test_numbers_beyond_float32_are_not_finite() -> None:
    assert nonfinite(np.array([1, 2])) is None and nonfinite(np.array([1.0, -1e38])) is None
    bad = nonfinite(np.array([1.0, 1e39, math.nan, -math.inf]))
    assert bad is not None and bad.tolist() == [False, True, True, True]


def test_whole_numbers_are_exact() -> None:
    assert whole(np.array([2**64 - 1], dtype=np.uint64), HERE).tolist() == [-1]
    assert whole(np.array([3.0]), HERE).dtype == np.int64
    for value, message in ((0.5, "no whole number"), (2.0**60, "too large to be exact")):
        with pytest.raises(InputError, match=message):
            whole(np.array([value]), HERE)


def test_momenta_have_a_range() -> None:
    check_momentum("phi", np.array([-2 * math.pi, 2 * math.pi]), HERE)
    for name, value, message in (
        ("pt", -1.0, "a negative pt"),
        ("energy", -1.0, "negative energy"),
        ("phi", 90.0, "deg"),
    ):
        with pytest.raises(InputError, match=message):
            check_momentum(name, np.array([value]), HERE)


def test_columns_and_constants_fill_rows() -> None:
    rows = fill_columns([np.arange(40_000), 7.0], np.empty((40_000, 2)))
    assert np.array_equal(rows[:, 0], np.arange(40_000)) and (rows[:, 1] == 7).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_infinity_is_not_finite_in_any_precision(dtype: type) -> None:
    bad = nonfinite(np.array([1.0, np.inf, -np.inf, np.nan, 6e4], dtype=dtype))
    assert bad is not None and bad.tolist() == [False, True, True, True, False]
    assert nonfinite(np.array([1.0, 6e4], dtype=dtype)) is None


@pytest.mark.parametrize(("dtype", "bits"), [(np.float16, 11), (np.float32, 24), (np.float64, 53)])
def test_ids_that_a_precision_cannot_hold_are_refused(dtype: type, bits: int) -> None:
    assert whole(np.array([2**bits - 1], dtype=dtype), HERE).tolist() == [2**bits - 1]
    with pytest.raises(InputError, match=rf"too large to be exact in .* precision .* in entry 10.* From 2\^{bits} on"):
        whole(np.array([2**bits], dtype=dtype), HERE)  # 2^bits + 1 is stored as this number
    with pytest.raises(InputError, match="in single precision"):
        whole(np.array([2.0**24]), HERE, precision=24)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_constant_is_rounded_as_the_file_rounds(dtype: type) -> None:
    numbers: Numbers = np.array([-999.9, 0.1, 5.0, np.inf], dtype=dtype)
    assert equals_any(numbers, [-999.9, 1e30, 0.1]).tolist() == [True, True, False, False]
    near = np.nextafter(np.array([-999.9], dtype=dtype), np.array([0], dtype=dtype))
    assert equals_any(near, [-999.9]).tolist() == [False]


def test_constants_of_whole_numbers_and_of_computed_ones() -> None:
    assert equals_any(np.array([-999, 5, 255]), [-999.0, 4.5, 1e30]).tolist() == [True, False, False]
    assert equals_any(np.array([255, 1], dtype=np.uint8), [255, -1]).tolist() == [True, False]
    assert equals_any(np.array([True, False]), [1]).tolist() == [True, False]
    widened = np.array([-999.9], dtype=np.float32).astype(np.float64)
    assert equals_any(widened, [-999.9], computed=True).tolist() == [True]
    assert equals_any(widened, [-999.9]).tolist() == [False]


def test_a_fill_is_held_by_the_type() -> None:
    chosen = np.array([True, False])
    assert replaced(np.array([1, 2]), chosen, 0.5).tolist() == [0.5, 2]
    assert replaced(np.array([1, 2]), chosen, -1.0).dtype == np.int64
    assert replaced(np.array([1, 2], dtype=np.uint8), chosen, -1.0).tolist() == [-1, 2]
    assert replaced(np.array([1, 2], dtype=np.float16), chosen, 1e6).tolist() == [1e6, 2]
