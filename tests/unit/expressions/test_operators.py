"""Operators of expressions on columns, against Python's own integers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from root_gnn.expressions.columns import EvaluationError, column_of, constant_column, to_array
from root_gnn.expressions.operators import COMPARISONS, OPERATORS, compare_values, element, is_member, remainder

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**64 - 1))
def test_signed_and_unsigned_integers_compare_exactly(a: int, b: int) -> None:
    assert set(SIGNS) == set(COMPARISONS)
    columns = [column_of(np.array([a])), column_of(np.array([b], dtype=np.uint64))]
    for sign, compare in SIGNS.items():
        assert bool(compare_values(columns, [sign]).data[0]) == compare(a, b)
        assert bool(compare_values(columns[::-1], [sign]).data[0]) == compare(b, a)


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_integer_arithmetic_is_exact_or_refused(a: int, b: int) -> None:
    columns = [column_of(np.array([a])), column_of(np.array([b]))]
    for sign, compute in (("+", operator.add), ("-", operator.sub), ("*", operator.mul)):
        exact = compute(a, b)
        if -(2**63) <= exact < 2**63:
            assert int(OPERATORS[sign](columns, None).data[0]) == exact
        else:
            with np.errstate(all="ignore"), pytest.raises(EvaluationError, match="beyond 64 bits"):
                OPERATORS[sign](columns, None)


def test_a_remainder_has_the_sign_of_the_divisor() -> None:
    a, b = column_of(np.array([7, -7, 7, 1])), column_of(np.array([3, 3, -3, 0]))
    np.testing.assert_array_equal(remainder([a, b]).data, [1, 2, -2, np.nan])


def test_members_of_integers_and_texts() -> None:
    assert is_member([column_of(np.array([1, 2, 3]))], (2, 5)).data.tolist() == [False, True, False]
    assert is_member([column_of(ak.Array(["a", "bc"]))], ("bc",)).data.tolist() == [False, True]
    assert is_member([column_of(np.array([1], dtype=np.uint64))], (-1,)).data.tolist() == [False]


def test_subscripts_by_condition_and_number() -> None:
    x = column_of(ak.Array([[1, 2], [], [3]]))
    condition = column_of(ak.Array([[False, True], [], [True]]))
    assert to_array(element([x, condition]), 3).tolist() == [[2], [], [3]]
    with pytest.raises(EvaluationError, match="has only 0 values"):
        element([x, constant_column(0)])
