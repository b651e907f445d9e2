"""Functions of expressions on columns, against Python loops; names and arguments are tested with the language."""

from __future__ import annotations

import statistics

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from root_gnn.expressions.columns import Column, EvaluationError, column_of, constant_column, to_array
from root_gnn.expressions.functions import FUNCTIONS, item
from root_gnn.expressions.operators import divide

LISTS = st.lists(st.lists(st.integers(-50, 50), max_size=4), min_size=1, max_size=5)


def column(lists: list[list[int]]) -> Column:
    return column_of(ak.values_astype(ak.Array([*lists, [0]])[:-1], np.int64))


@given(LISTS)
def test_reductions_are_those_of_python(lists: list[list[int]]) -> None:
    x, n = column(lists), len(lists)
    reference: dict[str, list[float]] = {
        "sum": [sum(part) for part in lists],
        "count": [len(part) for part in lists],
        "mean": [statistics.fmean(part) if part else np.nan for part in lists],
        "std": [statistics.pstdev(part) if part else np.nan for part in lists],
        "max": [max(part, default=np.nan) for part in lists],
        "min": [min(part, default=np.nan) for part in lists],
    }
    for name, expected in reference.items():
        with np.errstate(all="ignore"):
            found = to_array(FUNCTIONS[name].call([x]), n)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12, err_msg=name)


@given(LISTS, st.integers(-5, 5))
def test_items_are_those_of_python(lists: list[list[int]], k: int) -> None:
    expected = [part[k] if -len(part) <= k < len(part) else -99 for part in lists]
    assert to_array(item(column(lists), constant_column(k), constant_column(-99)), len(lists)).tolist() == expected


def test_a_short_list_without_default_names_its_entry() -> None:
    with pytest.raises(EvaluationError, match="has only 1 values") as caught:
        item(column([[1, 2], [3]]), constant_column(1), None)
    assert caught.value.entry == 1


def test_integers_are_not_rounded() -> None:
    big = column_of(np.array([2**53 + 1]))
    assert FUNCTIONS["floor"].call([big]).data.tolist() == [2**53 + 1]
    assert FUNCTIONS["maximum"].call([big, constant_column(0)]).data.tolist() == [2**53 + 1]


def test_flatten_joins_the_inner_lists() -> None:
    nested = column_of(ak.Array([[[1], [2, 3]], [], [[], [4]]]))
    assert to_array(FUNCTIONS["flatten"].call([nested]), 3).tolist() == [[1, 2, 3], [], [4]]
    with pytest.raises(EvaluationError, match="flatten needs lists of lists"):
        FUNCTIONS["flatten"].call([column([[1]])])


WORDS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(2**63, 2**64 - 1))


@given(st.lists(WORDS, min_size=1, max_size=5), st.integers(0, 63), st.integers(0, 2**63 - 1))
def test_bits_of_64_are_those_of_python(words: list[int], k: int, other: int) -> None:
    for some, dtype in (([word for word in words if word >= 0], np.uint64), (words, np.int64)):
        if not some or (dtype is np.int64 and max(some) >= 2**63):
            continue
        x = column_of(np.array(some, dtype=dtype))
        found = {name: FUNCTIONS[name].call([x, constant_column(k)]).data.tolist() for name in ("bit", "shift_right")}
        assert found == {"bit": [bool(word >> k & 1) for word in some], "shift_right": [word >> k for word in some]}
        for name, expected in (("bit_and", [w & other for w in some]), ("bit_or", [w | other for w in some])):
            assert FUNCTIONS[name].call([x, constant_column(other)]).data.tolist() == expected
        divided = FUNCTIONS["floor"].call([divide([x, constant_column(other + 1)])])
        assert divided.data.tolist() == [word // (other + 1) for word in some]


def test_bits_are_those_of_whole_numbers() -> None:
    with pytest.raises(EvaluationError, match="bits are those of whole numbers"):
        FUNCTIONS["bit"].call([column_of(np.array([1.0])), constant_column(0)])
    with pytest.raises(EvaluationError, match="bits are counted from 0 to 63, and 64 is none"):
        FUNCTIONS["bit"].call([column_of(np.array([1])), constant_column(64)])
