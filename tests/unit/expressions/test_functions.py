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

LISTS = st.lists(st.lists(st.integers(-50, 50), max_size=4), min_size=1, max_size=5)


def column(lists: list[list[int]]) -> Column:
    return column_of(ak.values_astype(ak.Array([*lists, [0]])[:-1], np.int64))


@given(LISTS)
def test_reductions_are_those_of_python(lists: list[list[int]]) -> None:
    x, n = column(lists), len(lists)
    reference = {
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
