"""The functions of expressions: a fixed list, and nothing else can be called.

Each takes columns and gives one; it raises `Refusal` where kinds or shapes do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from root_gnn.expressions.columns import Column, Refusal, aligned, booleans, entry_of, exact, lists, numbers, unified
from root_gnn.kinematics.angles import delta_phi, delta_r
from root_gnn.typing import Numbers

LONGEST = 2**40  # values in a list; an element further off is missing in any

ColumnSequence = Sequence[Column]


@dataclass(frozen=True)
class Function:
    """A function by what it does, its arguments as shown in messages, and how many it takes."""

    call: Callable[[ColumnSequence], Column]
    arguments: str
    least: int
    most: int


def floating(call: Callable[..., Any]) -> Callable[[ColumnSequence], Column]:
    """A function of floating-point numbers, value by value."""

    def apply(columns: ColumnSequence) -> Column:
        data, offsets = aligned([numbers(column) for column in columns])
        return Column(np.asarray(call(*(array.astype(np.float64, copy=False) for array in data))), offsets)

    return apply


def _whole_kept(ufunc: Any) -> Callable[[ColumnSequence], Column]:
    """floor, ceil and round, which leave whole numbers alone."""

    def apply(columns: ColumnSequence) -> Column:
        x = numbers(columns[0])
        return x if x.kind == "integer" else Column(ufunc(x.data), x.offsets)

    return apply


def _choice(call: Callable[..., Any]) -> Callable[[ColumnSequence], Column]:
    """A function that gives one of its arguments, in their common type."""

    def apply(columns: ColumnSequence) -> Column:
        data, offsets = aligned([numbers(column) for column in columns])
        return Column(np.asarray(call(*unified(data))), offsets)

    return apply


def _where(columns: ColumnSequence) -> Column:
    condition = booleans(columns[0], "the first argument of where")
    for column in columns[1:]:
        numbers(column)
    (mask, *data), offsets = aligned([condition, *columns[1:]])
    a, b = unified(data)
    return Column(np.where(mask, a, b), offsets)


def _absolute(columns: ColumnSequence) -> Column:
    x = numbers(columns[0])
    result = np.abs(x.data)
    return (
        exact(result, np.abs(x.data.astype(np.float64)), x.offsets)
        if x.kind == "integer"
        else Column(result, x.offsets)
    )


def _over_lists(column: Column, ufunc: Any, empty: Any) -> Numbers:
    """`ufunc` over each innermost list, `empty` for those without values; the type is that of `empty` and the values together."""
    starts, filled = column.offsets[-1][:-1], np.diff(column.offsets[-1]) > 0
    values, default = unified([column.data, np.asarray(empty)])
    result = np.full(len(starts), default)
    if filled.any():
        result[filled] = ufunc.reduceat(values, starts[filled])
    return result


def _sum(columns: ColumnSequence) -> Column:
    x = lists(numbers(columns[0]), "sum")
    result = _over_lists(x, np.add, x.data.dtype.type(0))
    if x.kind == "integer":
        return exact(result, _over_lists(Column(x.data.astype(np.float64), x.offsets), np.add, 0.0), x.offsets[:-1])
    return Column(result, x.offsets[:-1])


def _extreme(ufunc: Any, name: str, instead: str) -> Callable[[ColumnSequence], Column]:
    def apply(columns: ColumnSequence) -> Column:
        x = lists(numbers(columns[0]), f"{name} (of two values {instead}(a, b))")
        filled = bool((np.diff(x.offsets[-1]) > 0).all())
        empty: Any = x.data.dtype.type(0) if filled else np.nan
        if len(columns) == 2:
            empty = _plain(columns[1], f"what {name} gives for an empty list ({instead}(a, b) compares two values)")
        return Column(_over_lists(x, ufunc, empty), x.offsets[:-1])

    return apply


def _mean(columns: ColumnSequence) -> Column:
    x = lists(numbers(columns[0]), "mean")
    total = _over_lists(Column(x.data.astype(np.float64), x.offsets), np.add, 0.0)
    return Column(total / np.diff(x.offsets[-1]), x.offsets[:-1])


def _std(columns: ColumnSequence) -> Column:
    x = lists(numbers(columns[0]), "std")
    difference = x.data - np.repeat(_mean([x]).data, np.diff(x.offsets[-1]))
    return Column(np.sqrt(_mean([Column(difference * difference, x.offsets)]).data), x.offsets[:-1])


def _count(columns: ColumnSequence) -> Column:
    x = lists(columns[0], "count")
    if x.kind == "boolean":
        return Column(_over_lists(numbers(x), np.add, np.int64(0)), x.offsets[:-1])
    return Column(np.diff(x.offsets[-1]), x.offsets[:-1])


def _some(ufunc: Any, name: str, empty: bool) -> Callable[[ColumnSequence], Column]:
    def apply(columns: ColumnSequence) -> Column:
        x = lists(booleans(columns[0], name), name)
        return Column(_over_lists(x, ufunc, empty), x.offsets[:-1])

    return apply


def item(x: Column, which: Column, default: Column | None) -> Column:
    """The element of each innermost list with the number `which`; a list too short gives the default, or is refused without one."""
    lists(x, "an element")
    k = _plain(which, "the number of an element")
    if which.kind != "integer":
        raise Refusal(f"the number of an element is whole, not {which.text}")
    k = max(-LONGEST, min(int(k), LONGEST))
    starts, ends = x.offsets[-1][:-1], x.offsets[-1][1:]
    short = (ends - starts) < (k + 1 if k >= 0 else -k)
    if default is None and short.any():
        first = int(np.argmax(short))
        raise Refusal(
            f"{x.quoted} has only {ends[first] - starts[first]} values", entry_of(x.offsets, first, x.depth - 1)
        )
    if default is None:
        return Column(x.data[(starts if k >= 0 else ends) + k], x.offsets[:-1])
    numbers(x)
    values, other = unified([x.data, np.asarray(_plain(default, "the value for lists that are too short"))])
    result = np.full(len(starts), other)
    result[~short] = values[(starts if k >= 0 else ends)[~short] + k]
    return Column(result, x.offsets[:-1])


def _first(columns: ColumnSequence) -> Column:
    return item(columns[0], Column(np.asarray(0)), columns[1] if len(columns) > 1 else None)


def _last(columns: ColumnSequence) -> Column:
    return item(columns[0], Column(np.asarray(-1)), columns[1] if len(columns) > 1 else None)


def _plain(column: Column, what: str) -> Any:
    if not column.constant or column.kind == "text":
        raise Refusal(f"{what} has to be a plain number, not {column.quoted}")
    return column.data


def _flatten(columns: ColumnSequence) -> Column:
    x = lists(columns[0], "flatten")
    if x.depth < 2:
        raise Refusal(f"flatten needs lists of lists, and {x.quoted} has one list per entry")
    return Column(x.data, (*x.offsets[:-2], x.offsets[-1][x.offsets[-2]]))


ONE = (
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
    **{name: Function(floating(getattr(np, name)), "x", 1, 1) for name in ONE},
    **{name: Function(_whole_kept(getattr(np, name)), "x", 1, 1) for name in ("floor", "ceil", "round")},
    "abs": Function(_absolute, "x", 1, 1),
    "isfinite": Function(floating(np.isfinite), "x", 1, 1),
    "arctan2": Function(floating(np.arctan2), "y, x", 2, 2),
    "minimum": Function(_choice(np.minimum), "a, b", 2, 2),
    "maximum": Function(_choice(np.maximum), "a, b", 2, 2),
    "clip": Function(_choice(lambda x, low, high: np.minimum(np.maximum(x, low), high)), "x, low, high", 3, 3),
    "where": Function(_where, "condition, a, b", 3, 3),
    "delta_phi": Function(floating(delta_phi), "phi1, phi2", 2, 2),
    "delta_r": Function(floating(delta_r), "eta1, phi1, eta2, phi2", 4, 4),
    "sum": Function(_sum, "list", 1, 1),
    "mean": Function(_mean, "list", 1, 1),
    "std": Function(_std, "list", 1, 1),
    "min": Function(_extreme(np.minimum, "min", "minimum"), "list, default", 1, 2),
    "max": Function(_extreme(np.maximum, "max", "maximum"), "list, default", 1, 2),
    "count": Function(_count, "list", 1, 1),
    "any": Function(_some(np.logical_or, "any", False), "list", 1, 1),
    "all": Function(_some(np.logical_and, "all", True), "list", 1, 1),
    "first": Function(_first, "list, default", 1, 2),
    "last": Function(_last, "list, default", 1, 2),
    "item": Function(
        lambda columns: item(columns[0], columns[1], columns[2] if len(columns) > 2 else None), "list, k, default", 2, 3
    ),
    "flatten": Function(_flatten, "list", 1, 1),
}
