"""The columns that expressions compute with: flat numbers and, for lists, their offsets, without padding.

Numbers are bool, int64, uint64 or float64. Integers stay exact; a result beyond 64 bits is refused and never wraps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np

from root_gnn.typing import Integers, Numbers

LARGEST = np.iinfo(np.int64).max
EXACT = 2**53  # double precision holds all whole numbers up to this one


class EvaluationError(Exception):
    """A step that cannot be evaluated; the caller adds the position in the text.

    Attributes:
        reason: the message.
        entry: the entry at fault, from 0 in the values evaluated, or None.
    """

    def __init__(self, reason: str, entry: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.entry = reason, entry


@dataclass(frozen=True)
class Column:
    """One value per entry, or nested lists of them.

    Attributes:
        data: `(n_value,)` numbers, an awkward array of strings for text, or an array without dimensions for a constant.
        offsets: for each level of lists, outermost first, where each begins among the items below, `(n_list + 1,)`.
        text: the part of the expression it comes from, for messages.
        quotient: the whole numbers of which `data` is the quotient, so that `floor` can divide exactly; else None.
    """

    data: Any
    offsets: tuple[Integers, ...] = ()
    text: str = ""
    quotient: tuple[Numbers, Numbers] | None = None

    @property
    def depth(self) -> int:
        """The number of levels of lists per entry."""
        return len(self.offsets)

    @property
    def constant(self) -> bool:
        """Whether it is one value for all entries."""
        return bool(self.data.ndim == 0)

    @property
    def kind(self) -> str:
        """`text`, `boolean`, `integer` or `float`."""
        if not isinstance(self.data, np.ndarray | np.generic):
            return "text"
        return {"b": "boolean", "i": "integer", "u": "integer", "f": "float"}.get(self.data.dtype.kind, "text")

    @property
    def quoted(self) -> str:
        """The text in backquotes, shortened to 60 characters."""
        text = self.text if len(self.text) <= 60 else f"{self.text[:57]}..."
        return text if "`" in text else f"`{text}`"

    @property
    def description(self) -> str:
        """The kind in words for messages, such as `lists of whole numbers`."""
        noun = {"boolean": "true or false", "integer": "whole numbers", "float": "numbers", "text": "text"}[self.kind]
        return f"the constant {self.text}" if self.constant else f"{'lists of ' * self.depth}{noun}"


def constant_column(value: Any) -> Column:
    """A column with one number, truth value or text for all entries."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Column(np.asarray(value, dtype=np.int64 if value <= LARGEST else np.uint64))
    return Column(np.asarray(value))


def column_of(values: Any) -> Column:
    """A column from a NumPy or awkward array.

    Raises EvaluationError for records, missing values and types other than numbers and text.
    """
    if not isinstance(values, ak.Array):
        values = np.asarray(values)
        if values.dtype.kind not in "biufUS" or not values.ndim:
            raise EvaluationError(f"holds {values.dtype}, which is neither numbers nor text")
    layout = ak.to_packed(ak.to_layout(ak.Array(values), allow_record=False), highlevel=False)
    # Level by level, outermost first, down to numbers or text.
    offsets: list[Integers] = []
    while not layout.is_numpy:
        if layout.is_option:
            layout = _without_missing(layout)
        elif layout.is_list and layout.parameter("__array__") in ("string", "bytestring"):
            return Column(ak.Array(layout), tuple(offsets))
        elif layout.is_list:
            layout = layout.to_ListOffsetArray64(True)
            offsets.append(np.asarray(layout.offsets))
            layout = layout.content[: int(offsets[-1][-1])]
        elif layout.is_indexed:
            layout = layout.project()
        elif layout.is_unknown:
            return Column(np.zeros(0), tuple(offsets))
        else:
            raise EvaluationError(f"has the type {layout.form.type}, which is neither numbers nor text")
    return Column(_numbers(_inner(np.asarray(layout.data), offsets)), tuple(offsets))


def to_array(column: Column, n_entry: int) -> Any:
    """The NumPy array `(n_entry,)` or awkward array of a column."""
    if column.constant:
        return np.full(n_entry, column.data)
    if not column.depth:
        return column.data
    layout = ak.contents.NumpyArray(column.data)
    for offsets in reversed(column.offsets):
        layout = ak.contents.ListOffsetArray(ak.index.Index64(offsets), layout)
    return ak.Array(layout)


def broadcast_columns(columns: Sequence[Column]) -> tuple[list[Numbers], tuple[Integers, ...]]:
    """Repeats the values of shallower columns for each item of the deepest; returns the data and their common offsets.

    Raises EvaluationError naming the entry where two lists differ in length.
    """
    deepest = max(columns, key=lambda column: column.depth)
    return [column.data if column.constant else _repeated(column, deepest) for column in columns], deepest.offsets


def entry_of(offsets: Sequence[Integers], position: int, level: int) -> int:
    """The entry of the list (or value) with number `position` below `level` levels of lists."""
    for above in reversed(offsets[:level]):
        position = int(np.searchsorted(above, position, side="right")) - 1
    return position


def as_numbers(column: Column) -> Column:
    """The column with true as 1 and false as 0; raises EvaluationError for text."""
    if column.kind == "text":
        raise EvaluationError(
            f"{column.quoted} is text; text can only be compared with == or != or `in`, to a text in quotes"
        )
    if column.kind == "boolean":
        return Column(column.data.astype(np.int64), column.offsets, column.text)
    return column


def require_booleans(column: Column, what: str) -> Column:
    """Returns the column; raises EvaluationError unless it holds true and false, which `what` needs."""
    if column.kind != "boolean":
        raise EvaluationError(
            f"{what} needs true or false, and {column.quoted} holds {column.description}; compare it, for example with "
            "`!= 0`"
        )
    return column


def require_lists(column: Column, what: str) -> Column:
    """Returns the column; raises EvaluationError unless it has lists, which `what` needs."""
    if not column.depth:
        raise EvaluationError(f"{what} needs a list per entry, and {column.quoted} has one value per entry")
    return column


def to_common_type(arrays: Sequence[Numbers]) -> list[Numbers]:
    """Converts arrays to one type: bool if all are, 64-bit integers if all are, else float64.

    Raises EvaluationError where no 64-bit integer type holds all of the values.
    """
    if all(array.dtype.kind == "b" for array in arrays):
        return list(arrays)
    if any(array.dtype.kind == "f" for array in arrays):
        return [array.astype(np.float64, copy=False) for array in arrays]
    unsigned = [array.dtype == np.uint64 for array in arrays]
    if all(unsigned) or not any(unsigned):
        return [array if array.dtype == np.uint64 else array.astype(np.int64, copy=False) for array in arrays]
    if all(_fits(array) for array in arrays):
        return [array.astype(np.int64, copy=False) for array in arrays]
    if any((array < 0).any() for array in arrays):
        raise EvaluationError("negative whole numbers and ones beyond 2^63 do not go together in 64 bits")
    return [array.astype(np.uint64, copy=False) for array in arrays]


def exact_column(result: Numbers, estimate: Numbers, offsets: tuple[Integers, ...]) -> Column:
    """The column of an integer result.

    Raises EvaluationError where it wrapped around: it then differs from `estimate`, the same in floating point.
    """
    wrapped = np.atleast_1d(np.abs(result.astype(np.float64) - estimate) > 2.0**62)
    if wrapped.any():
        entry = entry_of(offsets, int(np.argmax(wrapped)), len(offsets)) if result.ndim else None
        raise EvaluationError("a whole number beyond 64 bits results (`1.0 * x` makes floating-point numbers)", entry)
    return Column(result, offsets)


def refuse_inexact(column: Column) -> Column:
    """Returns the column; raises EvaluationError where it is a quotient of whole numbers that float64 cannot hold."""
    for numbers in column.quotient or ():
        beyond = np.atleast_1d((numbers > EXACT) | (numbers < -EXACT))
        if beyond.any():
            entry = entry_of(column.offsets, int(np.argmax(beyond)), column.depth) if numbers.ndim else None
            raise EvaluationError(
                "a whole number beyond 2^53 cannot be divided exactly (`floor(a / b)` can, `bit(x, k)` tests bits, and "
                "`1.0 * x` makes floating-point numbers)",
                entry,
            )
    return column


def _fits(array: Numbers) -> bool:
    return array.dtype != np.uint64 or not (array > np.uint64(LARGEST)).any()


def _numbers(data: Numbers) -> Numbers:
    """Widens numbers to bool, int64, uint64 or float64, so that small integers neither wrap nor lose precision."""
    if data.dtype.kind not in "biuf":
        raise EvaluationError(f"holds {data.dtype}, which is neither numbers nor text")
    if data.dtype.kind == "b" or data.dtype == np.uint64:
        return data
    return data.astype(np.float64 if data.dtype.kind == "f" else np.int64, copy=False)


def _inner(data: Numbers, offsets: list[Integers]) -> Numbers:
    """Flattens a rectangular array; its inner dimensions become lists, whose offsets are appended to `offsets`."""
    while data.ndim > 1:
        n_list, length = data.shape[:2]
        offsets.append(np.arange(n_list + 1, dtype=np.int64) * length)
        data = data.reshape(n_list * length, *data.shape[2:])
    return np.ascontiguousarray(data)


def _without_missing(layout: Any) -> Any:
    """The content of an option type; raises EvaluationError if a value is missing."""
    if ak.any(ak.is_none(ak.Array(layout))):
        raise EvaluationError("has missing values (None)")
    return ak.to_packed(ak.drop_none(layout, highlevel=False), highlevel=False)


def _repeated(column: Column, deepest: Column) -> Any:
    """The column's data, repeated to the depth of `deepest`; raises EvaluationError where lists differ in length."""
    for level, (mine, theirs) in enumerate(zip(column.offsets, deepest.offsets, strict=False)):
        if mine is theirs or np.array_equal(mine, theirs):
            continue
        counts, others = np.diff(mine), np.diff(theirs)
        first = int(np.argmax(counts != others))
        raise EvaluationError(
            f"lists of different lengths, {counts[first]} for {column.quoted} and {others[first]} for "
            f"{deepest.quoted},",
            entry_of(column.offsets, first, level),
        )
    if column.depth == deepest.depth:
        return column.data
    # offsets of the innermost lists, seen from the depth of the column: one slice of values for each of its items
    within = deepest.offsets[column.depth]
    for offsets in deepest.offsets[column.depth + 1 :]:
        within = offsets[within]
    return np.repeat(column.data, np.diff(within))
