"""The operators of expressions: arithmetic, comparisons, boolean logic, membership and subscripts.

Each takes columns and returns one; it raises `EvaluationError` where kinds or shapes do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from root_gnn.expressions.columns import (
    Column,
    EvaluationError,
    as_numbers,
    broadcast_columns,
    exact_column,
    refuse_inexact,
    require_booleans,
    require_lists,
    to_common_type,
)
from root_gnn.expressions.functions import FUNCTIONS, ColumnSequence, floating, item
from root_gnn.typing import Numbers

COMPARISONS = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def arithmetic(columns: ColumnSequence, ufunc: Any) -> Column:
    """Sum, difference or product; exact for integers."""
    data, offsets = broadcast_columns([as_numbers(column) for column in columns])
    a, b = to_common_type(data)
    if a.dtype.kind == "f":
        return Column(ufunc(a, b), offsets)
    return exact_column(ufunc(a, b), ufunc(a.astype(np.float64), b.astype(np.float64)), offsets)


def divide(columns: ColumnSequence) -> Column:
    """The quotient in floating point; division by zero gives infinity or NaN.

    A quotient of whole numbers remembers them, for `floor`; anything else refuses it where they are beyond 2^53.
    """
    result = floating(np.divide)(columns)
    if any(as_numbers(column).kind != "integer" for column in columns):
        return result
    data, offsets = broadcast_columns([as_numbers(column) for column in columns])
    a, b = to_common_type(data)
    quotient = Column(result.data, offsets, quotient=(a, b))
    return quotient if np.all(b != 0) else Column(refuse_inexact(quotient).data, offsets)


def remainder(columns: ColumnSequence) -> Column:
    """`a % b` with the sign of b; integers stay integers unless one is divided by zero, which gives NaN."""
    data, offsets = broadcast_columns([as_numbers(column) for column in columns])
    a, b = to_common_type(data)
    by_zero = b == 0
    if a.dtype.kind == "f" or not by_zero.any():
        return Column(np.mod(a, b), offsets)
    return Column(np.where(by_zero, np.nan, np.mod(a, np.where(by_zero, b.dtype.type(1), b))), offsets)


def negative(columns: ColumnSequence) -> Column:
    """`-x`."""
    (x,) = columns
    return (
        arithmetic([Column(np.asarray(0)), x], np.subtract)
        if as_numbers(x).kind == "integer"
        else Column(-x.data, x.offsets)
    )


def power(columns: ColumnSequence, exponent: float) -> Column:
    """`x ** exponent`, floating-point."""
    return floating(lambda x: x**exponent)([*columns])


def compare_values(columns: ColumnSequence, signs: Sequence[str]) -> Column:
    """`a < b <= c`: whether the comparison of every neighbouring pair is true."""
    pairs = [_compare_two(columns[i : i + 2], sign) for i, sign in enumerate(signs)]
    return pairs[0] if len(pairs) == 1 else logical(pairs, np.logical_and, "a comparison")


def logical(columns: ColumnSequence, ufunc: Any, what: str) -> Column:
    """`and`, `or` of two or more, `not` of one."""
    data, offsets = broadcast_columns([require_booleans(column, what) for column in columns])
    result = data[0] if len(data) > 1 else ufunc(data[0])
    for other in data[1:]:
        result = ufunc(result, other)
    return Column(result, offsets)


def is_member(columns: ColumnSequence, items: Sequence[int | str]) -> Column:
    """Whether each value is one of the items."""
    (x,) = columns
    if isinstance(items[0], str):
        matches = [_equals_text(x, str(item)) for item in items]
    else:
        if x.kind == "boolean":
            raise EvaluationError(f"`in` needs numbers, and {x.quoted} holds true or false")
        data = as_numbers(x).data
        matches = [_equals_integer(data, int(item)) for item in items]
    result = matches[0]
    for other in matches[1:]:
        result = result | other
    return Column(np.asarray(result), x.offsets)


def element(columns: ColumnSequence) -> Column:
    """`x[k]`, the k-th item of each innermost list, or `x[condition]`, the items whose condition is true."""
    x, which = columns
    if which.kind != "boolean":
        return item(x, which, None)
    require_lists(x, "a subscript")
    if which.depth != x.depth:
        raise EvaluationError(f"the condition {which.quoted} has to give true or false for each value of {x.quoted}")
    (_, keep), offsets = broadcast_columns([x, which])
    # how many items are kept before each position, which turns the old offsets into the new ones
    before = np.concatenate(([0], np.cumsum(keep)))
    return Column(x.data[keep], (*offsets[:-1], before[offsets[-1]]))


def _compare_two(columns: ColumnSequence, sign: str) -> Column:
    a, b = columns
    if sign in ("==", "!=") and "text" in (a.kind, b.kind) and a.constant != b.constant:
        branch, text = (b, a) if a.constant else (a, b)
        if text.kind != "text":
            raise EvaluationError(f"{branch.quoted} is text and {text.quoted} is not")
        equal = _equals_text(branch, str(text.data))
        return Column(equal if sign == "==" else ~equal, branch.offsets)
    (left, right), offsets = broadcast_columns([as_numbers(column) for column in columns])
    ufunc = COMPARISONS[sign]
    if {left.dtype.kind, right.dtype.kind} == {"i", "u"}:
        return Column(_compare_signed(left, right, ufunc), offsets)
    return Column(np.asarray(ufunc(*to_common_type([left, right]))), offsets)


def _compare_signed(left: Numbers, right: Numbers, ufunc: Any) -> Numbers:
    """Compares int64 with uint64 exactly: negative numbers are below all unsigned ones."""
    below = (left if left.dtype.kind == "i" else right) < 0
    # a negative number compares like 0 with 1, whatever the unsigned one is
    if_below = ufunc(0, 1) if left.dtype.kind == "i" else ufunc(1, 0)
    return np.asarray(np.where(below, if_below, ufunc(left.astype(np.uint64), right.astype(np.uint64))))


def _equals_text(column: Column, text: str) -> Numbers:
    if column.kind != "text" or column.constant:
        raise EvaluationError(f"{column.quoted} holds {column.description} and can't be compared with text")
    return np.asarray(
        column.data == (text.encode() if column.data.layout.parameter("__array__") == "bytestring" else text)
    )


def _equals_integer(data: Numbers, item: int) -> Numbers:
    if data.dtype.kind == "f":
        return np.asarray(data == float(item))
    limits = np.iinfo(data.dtype)
    return (
        np.asarray(data == data.dtype.type(item))
        if limits.min <= item <= limits.max
        else np.zeros(data.shape, dtype=bool)
    )


OPERATORS: dict[str, Callable[[ColumnSequence, Any], Column]] = {
    "call": lambda columns, name: FUNCTIONS[name].call(columns),
    "+": lambda columns, _: arithmetic(columns, np.add),
    "-": lambda columns, _: arithmetic(columns, np.subtract),
    "*": lambda columns, _: arithmetic(columns, np.multiply),
    "/": lambda columns, _: divide(columns),
    "%": lambda columns, _: remainder(columns),
    "negative": lambda columns, _: negative(columns),
    "positive": lambda columns, _: as_numbers(columns[0]),
    "power": power,
    "compare": compare_values,
    "and": lambda columns, _: logical(columns, np.logical_and, "`and`"),
    "or": lambda columns, _: logical(columns, np.logical_or, "`or`"),
    "not": lambda columns, _: logical(columns, np.logical_not, "`not`"),
    "in": is_member,
    "not in": lambda columns, items: logical([is_member(columns, items)], np.logical_not, "`not in`"),
    "element": lambda columns, _: element(columns),
}
