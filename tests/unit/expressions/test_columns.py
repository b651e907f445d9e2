"""Columns of expressions: conversion, broadcasting and exact integers."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

from root_gnn.expressions.columns import (
    EvaluationError,
    broadcast_columns,
    column_of,
    constant_column,
    entry_of,
    exact_column,
    to_array,
    to_common_type,
)


@pytest.mark.parametrize("values", [[[1, 2], [], [3]], [[[1.5], []], [], [[2.5, 3.5]]], [True, False]])
def test_columns_are_restored(values: list[object]) -> None:
    column = column_of(ak.Array(values))
    assert to_array(column, len(values)).tolist() == values
    assert column.depth == ak.Array(values).ndim - 1


def test_rectangular_arrays_are_lists() -> None:
    values = np.arange(12, dtype=np.int8).reshape(2, 3, 2)
    column = column_of(values)
    assert column.depth == 2 and column.data.dtype == np.int64
    assert to_array(column, 2).tolist() == values.tolist()


def test_constants_are_repeated_for_each_entry() -> None:
    assert to_array(constant_column(3), 2).tolist() == [3, 3]
    assert constant_column(2**63).data.dtype == np.uint64


def test_one_value_per_entry_is_repeated_over_lists() -> None:
    scalar, lists = column_of(np.array([10, 20, 30])), column_of(ak.Array([[[1], [2, 3]], [], [[4]]]))
    (repeated, data), offsets = broadcast_columns([scalar, lists])
    assert repeated.tolist() == [10, 10, 10, 30] and data.tolist() == [1, 2, 3, 4]
    assert offsets is lists.offsets


def test_lists_of_other_lengths_are_refused_with_their_entry() -> None:
    with pytest.raises(EvaluationError, match=r"lists of different lengths, 2 for .* and 1 for") as caught:
        broadcast_columns([column_of(ak.Array([[1], [2]])), column_of(ak.Array([[1], [2, 3]]))])
    assert caught.value.entry == 1


def test_values_know_their_entry() -> None:
    offsets = column_of(ak.Array([[], [[1], [2, 3]], [], [[4]]])).offsets
    assert [entry_of(offsets, position, 2) for position in range(4)] == [1, 1, 1, 3]


def test_integers_of_both_signs_have_a_type_if_they_fit() -> None:
    small, large, negative = np.array([1], np.uint64), np.array([2**63], np.uint64), np.array([-1])
    assert [array.dtype for array in to_common_type([small, negative])] == [np.int64, np.int64]
    assert [array.dtype for array in to_common_type([large, np.array([1])])] == [np.uint64, np.uint64]
    with pytest.raises(EvaluationError, match="do not go together in 64 bits"):
        to_common_type([large, negative])


def test_a_wrapped_result_is_refused() -> None:
    a = np.array([1, 2**62, 3])
    with pytest.raises(EvaluationError, match="beyond 64 bits") as caught:
        exact_column(a + a + a, a.astype(float) * 3, ())
    assert caught.value.entry == 1
    assert exact_column(a, a.astype(float), ()).data is a


@pytest.mark.parametrize("values", [ak.Array([1, None]), ak.Array([{"a": 1}]), np.array([1j])])
def test_other_types_are_refused(values: object) -> None:
    with pytest.raises(EvaluationError):
        column_of(values)
