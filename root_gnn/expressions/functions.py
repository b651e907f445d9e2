"""The functions of expressions, a fixed list; nothing else can be called.

Each takes columns and returns one; it raises `EvaluationError` where kinds or shapes do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from root_gnn.expressions.columns import (
    Column,
    EvaluationError,
    as_numbers,
    broadcast_columns,
    entry_of,
    exact_column,
    require_booleans,
    require_lists,
    to_common_type,
)
from root_gnn.kinematics.angles import delta_phi, delta_r
from root_gnn.typing import Integers, Numbers

LONGEST = 2**40  # no list is longer; an item beyond is missing in all of them

ColumnSequence = Sequence[Column]


@dataclass(frozen=True)
class Function:
    """A function of the language.

    Attributes:
        call: computes a column from the columns of the arguments.
        arguments: the arguments as messages show them.
        least: the smallest number of arguments.
        most: the largest number of arguments.
    """

    call: Callable[[ColumnSequence], Column]
    arguments: str
    least: int
    most: int


def floating(call: Callable[..., Any]) -> Callable[[ColumnSequence], Column]:
    """Makes an elementwise function of floating-point numbers from one of arrays."""

    def apply(columns: ColumnSequence) -> Column:
        data, offsets = broadcast_columns([as_numbers(column) for column in columns])
        return Column(np.asarray(call(*(array.astype(np.float64, copy=False) for array in data))), offsets)

    return apply


def _rounding(ufunc: Any) -> Callable[[ColumnSequence], Column]:
    """Makes floor, ceil or round, which return integers unchanged."""

    def apply(columns: ColumnSequence) -> Column:
        x = as_numbers(columns[0])
        return x if x.kind == "integer" else Column(ufunc(x.data), x.offsets)

    return apply


def _floor(columns: ColumnSequence) -> Column:
    """The next whole number below; that of a quotient of whole numbers is exact to 64 bits."""
    x = as_numbers(columns[0])
    if x.quotient is None:
        return _rounding(np.floor)([x])
    a, b = x.quotient
    return exact_column(np.floor_divide(a, b), np.floor(a.astype(np.float64) / b.astype(np.float64)), x.offsets)


def _whole(columns: ColumnSequence) -> tuple[list[Numbers], tuple[Integers, ...]]:
    """The data of whole numbers and their common offsets; raises EvaluationError for other numbers."""
    for column in columns:
        if as_numbers(column).kind != "integer":
            raise EvaluationError(f"bits are those of whole numbers, and {column.quoted} holds {column.description}")
    return broadcast_columns([as_numbers(column) for column in columns])


def _bitwise(ufunc: Any) -> Callable[[ColumnSequence], Column]:
    """Makes an operation on the bits of whole numbers, a negative one in two's complement."""

    def apply(columns: ColumnSequence) -> Column:
        data, offsets = _whole(columns)
        return Column(np.asarray(ufunc(*_same_bits(data))), offsets)

    return apply


def _same_bits(arrays: Sequence[Numbers]) -> list[Numbers]:
    """The arrays as one 64-bit type with the same bits: unsigned if one of them is."""
    unsigned = any(array.dtype == np.uint64 for array in arrays)
    return [
        array.astype(np.int64, copy=False).view(np.uint64) if unsigned and array.dtype.kind != "u" else array
        for array in arrays
    ]


def _shift_right(columns: ColumnSequence) -> Column:
    (x, k), offsets = _whole(columns)
    _refuse_bit_number(k, offsets)
    return Column(np.asarray(x >> k.astype(x.dtype)), offsets)


def _bit(columns: ColumnSequence) -> Column:
    shifted = _shift_right(columns)
    return Column((shifted.data & shifted.data.dtype.type(1)) != 0, shifted.offsets)


def _refuse_bit_number(k: Numbers, offsets: tuple[Integers, ...]) -> None:
    bad = np.atleast_1d((k < 0) | (k > 63))
    if bad.any():
        entry = entry_of(offsets, int(np.argmax(bad)), len(offsets)) if k.ndim else None
        raise EvaluationError(f"bits are counted from 0 to 63, and {np.atleast_1d(k)[bad][0]} is none", entry)


def _selection(call: Callable[..., Any]) -> Callable[[ColumnSequence], Column]:
    """Makes an elementwise function that returns one of its arguments, in their common type."""

    def apply(columns: ColumnSequence) -> Column:
        data, offsets = broadcast_columns([as_numbers(column) for column in columns])
        return Column(np.asarray(call(*to_common_type(data))), offsets)

    return apply


def _where(columns: ColumnSequence) -> Column:
    condition = require_booleans(columns[0], "the first argument of where")
    for column in columns[1:]:
        as_numbers(column)
    (mask, *data), offsets = broadcast_columns([condition, *columns[1:]])
    a, b = to_common_type(data)
    return Column(np.where(mask, a, b), offsets)


def _absolute(columns: ColumnSequence) -> Column:
    x = as_numbers(columns[0])
    result = np.abs(x.data)
    return (
        exact_column(result, np.abs(x.data.astype(np.float64)), x.offsets)
        if x.kind == "integer"
        else Column(result, x.offsets)
    )


def _over_lists(column: Column, ufunc: Any, empty: Any) -> Numbers:
    """Reduces each innermost list by `ufunc`.

    Empty lists give `empty`. The type is common to `empty` and the values.
    """
    starts, filled = column.offsets[-1][:-1], np.diff(column.offsets[-1]) > 0
    values, default = to_common_type([column.data, np.asarray(empty)])
    result = np.full(len(starts), default)
    # reduceat would return a value of the next list for an empty one, so it sees the filled lists only
    if filled.any():
        result[filled] = ufunc.reduceat(values, starts[filled])
    return result


def _sum(columns: ColumnSequence) -> Column:
    x = require_lists(as_numbers(columns[0]), "sum")
    result = _over_lists(x, np.add, x.data.dtype.type(0))
    if x.kind == "integer":
        return exact_column(
            result, _over_lists(Column(x.data.astype(np.float64), x.offsets), np.add, 0.0), x.offsets[:-1]
        )
    return Column(result, x.offsets[:-1])


def _extreme(ufunc: Any, name: str, elementwise: str) -> Callable[[ColumnSequence], Column]:
    """Makes `min` or `max` of a list; messages name the function `elementwise` that compares two values."""

    def apply(columns: ColumnSequence) -> Column:
        x = require_lists(as_numbers(columns[0]), f"{name} (of two values {elementwise}(a, b))")
        filled = bool((np.diff(x.offsets[-1]) > 0).all())
        empty: Any = x.data.dtype.type(0) if filled else np.nan
        if len(columns) == 2:
            empty = _plain(columns[1], f"what {name} gives for an empty list ({elementwise}(a, b) compares two values)")
        return Column(_over_lists(x, ufunc, empty), x.offsets[:-1])

    return apply


def _mean(columns: ColumnSequence) -> Column:
    x = require_lists(as_numbers(columns[0]), "mean")
    total = _over_lists(Column(x.data.astype(np.float64), x.offsets), np.add, 0.0)
    return Column(total / np.diff(x.offsets[-1]), x.offsets[:-1])


def _std(columns: ColumnSequence) -> Column:
    x = require_lists(as_numbers(columns[0]), "std")
    difference = x.data - np.repeat(_mean([x]).data, np.diff(x.offsets[-1]))
    return Column(np.sqrt(_mean([Column(difference * difference, x.offsets)]).data), x.offsets[:-1])


def _count(columns: ColumnSequence) -> Column:
    x = require_lists(columns[0], "count")
    if x.kind == "boolean":
        return Column(_over_lists(as_numbers(x), np.add, np.int64(0)), x.offsets[:-1])
    return Column(np.diff(x.offsets[-1]), x.offsets[:-1])


def _logical(ufunc: Any, name: str, empty: bool) -> Callable[[ColumnSequence], Column]:
    """Makes `any` or `all` of a list; `empty` is its value for an empty list."""

    def apply(columns: ColumnSequence) -> Column:
        x = require_lists(require_booleans(columns[0], name), name)
        return Column(_over_lists(x, ufunc, empty), x.offsets[:-1])

    return apply


def item(x: Column, which: Column, default: Column | None) -> Column:
    """The item with index `which` of each innermost list.

    A list that is too short gives the default. Raises EvaluationError if there is none.
    """
    require_lists(x, "an element")
    k = _plain(which, "the number of an element")
    if which.kind != "integer":
        raise EvaluationError(f"the number of an element is whole, not {which.text}")
    k = max(-LONGEST, min(int(k), LONGEST))
    # negative indices count from the end of each list
    starts, ends = x.offsets[-1][:-1], x.offsets[-1][1:]
    short = (ends - starts) < (k + 1 if k >= 0 else -k)
    if default is None and short.any():
        first = int(np.argmax(short))
        raise EvaluationError(
            f"{x.quoted} has only {ends[first] - starts[first]} values", entry_of(x.offsets, first, x.depth - 1)
        )
    if default is None:
        return Column(x.data[(starts if k >= 0 else ends) + k], x.offsets[:-1])
    as_numbers(x)
    values, other = to_common_type([x.data, np.asarray(_plain(default, "the value for lists that are too short"))])
    result = np.full(len(starts), other)
    result[~short] = values[(starts if k >= 0 else ends)[~short] + k]
    return Column(result, x.offsets[:-1])


def _first(columns: ColumnSequence) -> Column:
    return item(columns[0], Column(np.asarray(0)), columns[1] if len(columns) > 1 else None)


def _last(columns: ColumnSequence) -> Column:
    return item(columns[0], Column(np.asarray(-1)), columns[1] if len(columns) > 1 else None)


def _plain(column: Column, what: str) -> Any:
    if not column.constant or column.kind == "text":
        raise EvaluationError(f"{what} has to be a plain number, not {column.quoted}")
    return column.data


def _flatten(columns: ColumnSequence) -> Column:
    x = require_lists(columns[0], "flatten")
    if x.depth < 2:
        raise EvaluationError(f"flatten needs lists of lists, and {x.quoted} has one list per entry")
    return Column(x.data, (*x.offsets[:-2], x.offsets[-1][x.offsets[-2]]))


UNARY = (
    "sqrt",
    "exp",
    "log",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
)
FUNCTIONS: dict[str, Function] = {
    **{name: Function(floating(getattr(np, name)), "x", 1, 1) for name in UNARY},
    **{name: Function(_rounding(getattr(np, name)), "x", 1, 1) for name in ("ceil", "round")},
    "floor": Function(_floor, "x", 1, 1),
    "bit": Function(_bit, "x, k", 2, 2),
    "bit_and": Function(_bitwise(np.bitwise_and), "a, b", 2, 2),
    "bit_or": Function(_bitwise(np.bitwise_or), "a, b", 2, 2),
    "shift_right": Function(_shift_right, "x, k", 2, 2),
    "abs": Function(_absolute, "x", 1, 1),
    "isfinite": Function(floating(np.isfinite), "x", 1, 1),
    "arctan2": Function(floating(np.arctan2), "y, x", 2, 2),
    "minimum": Function(_selection(np.minimum), "a, b", 2, 2),
    "maximum": Function(_selection(np.maximum), "a, b", 2, 2),
    "clip": Function(_selection(lambda x, low, high: np.minimum(np.maximum(x, low), high)), "x, low, high", 3, 3),
    "where": Function(_where, "condition, a, b", 3, 3),
    "delta_phi": Function(floating(delta_phi), "phi1, phi2", 2, 2),
    "delta_r": Function(floating(delta_r), "eta1, phi1, eta2, phi2", 4, 4),
    "sum": Function(_sum, "list", 1, 1),
    "mean": Function(_mean, "list", 1, 1),
    "std": Function(_std, "list", 1, 1),
    "min": Function(_extreme(np.minimum, "min", "minimum"), "list, default", 1, 2),
    "max": Function(_extreme(np.maximum, "max", "maximum"), "list, default", 1, 2),
    "count": Function(_count, "list", 1, 1),
    "any": Function(_logical(np.logical_or, "any", False), "list", 1, 1),
    "all": Function(_logical(np.logical_and, "all", True), "list", 1, 1),
    "first": Function(_first, "list, default", 1, 2),
    "last": Function(_last, "list, default", 1, 2),
    "item": Function(
        lambda columns: item(columns[0], columns[1], columns[2] if len(columns) > 2 else None), "list, k, default", 2, 3
    ),
    "flatten": Function(_flatten, "list", 1, 1),
}
