"""What an expression computes with: flat numbers and, for lists, the offsets that cut them; nothing is ever padded.

Numbers are bool, int64, uint64 or float64. Whole numbers stay whole and exact; what does not fit 64 bits is refused, never wrapped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np

from root_gnn.typing import Integers, Numbers

LARGEST = np.iinfo(np.int64).max


class Refusal(Exception):
    """A step that cannot be done; the caller adds the place in the text. `entry` counts from the first of the values."""

    def __init__(self, reason: str, entry: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.entry = reason, entry


@dataclass(frozen=True)
class Column:
    """One value per entry, or nested lists of them.

    Attributes:
        data: `(n_value,)` numbers, an awkward array of strings for text, or no dimension at all for a constant.
        offsets: for each level of lists from the outermost, where each list begins among what lies below, `(n_list + 1,)`.
        text: how the expression wrote it, for messages.
    """

    data: Any
    offsets: tuple[Integers, ...] = ()
    text: str = ""

    @property
    def depth(self) -> int:
        return len(self.offsets)

    @property
    def constant(self) -> bool:
        return bool(self.data.ndim == 0)

    @property
    def kind(self) -> str:
        """`text`, `boolean`, `integer` or `float`."""
        if not isinstance(self.data, np.ndarray | np.generic):
            return "text"
        return {"b": "boolean", "i": "integer", "u": "integer", "f": "float"}.get(self.data.dtype.kind, "text")

    @property
    def quoted(self) -> str:
        """The text in backquotes, which it may bring itself, cut where it is long."""
        text = self.text if len(self.text) <= 60 else f"{self.text[:57]}..."
        return text if "`" in text else f"`{text}`"

    @property
    def described(self) -> str:
        """Such as `lists of whole numbers`, for messages."""
        noun = {"boolean": "true or false", "integer": "whole numbers", "float": "numbers", "text": "text"}[self.kind]
        return f"the constant {self.text}" if self.constant else f"{'lists of ' * self.depth}{noun}"


def constant(value: Any) -> Column:
    """A plain number, truth value or text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Column(np.asarray(value, dtype=np.int64 if value <= LARGEST else np.uint64))
    return Column(np.asarray(value))


def column_of(values: Any) -> Column:
    """A column from a NumPy or awkward array; raises Refusal for records, missing values and whatever holds no numbers or text."""
    if not isinstance(values, ak.Array):
        values = np.asarray(values)
        if values.dtype.kind not in "biufUS" or not values.ndim:
            raise Refusal(f"holds {values.dtype}, which is neither numbers nor text")
    layout = ak.to_packed(ak.to_layout(ak.Array(values), allow_record=False), highlevel=False)
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
            raise Refusal(f"has the type {layout.form.type}, which is neither numbers nor text")
    return Column(_numbers(_inner(np.asarray(layout.data), offsets)), tuple(offsets))


def array_of(column: Column, n_entry: int) -> Any:
    """The NumPy array `(n_entry,)` or awkward array that a column stands for."""
    if column.constant:
        return np.full(n_entry, column.data)
    if not column.depth:
        return column.data
    layout = ak.contents.NumpyArray(column.data)
    for offsets in reversed(column.offsets):
        layout = ak.contents.ListOffsetArray(ak.index.Index64(offsets), layout)
    return ak.Array(layout)


def aligned(columns: Sequence[Column]) -> tuple[list[Numbers], tuple[Integers, ...]]:
    """Their numbers, repeated where one has a value for a list of the other, and the offsets they then share.

    Raises Refusal naming the entry where two lists differ in length.
    """
    deepest = max(columns, key=lambda column: column.depth)
    return [column.data if column.constant else _repeated(column, deepest) for column in columns], deepest.offsets


def entry_of(offsets: Sequence[Integers], position: int, level: int) -> int:
    """The entry that the list (or value) `position` below `level` levels of lists belongs to."""
    for above in reversed(offsets[:level]):
        position = int(np.searchsorted(above, position, side="right")) - 1
    return position


def numbers(column: Column) -> Column:
    """The column, true as 1 and false as 0; raises Refusal for text."""
    if column.kind == "text":
        raise Refusal(f"{column.quoted} is text; text can only be compared with == or != or `in`, to a text in quotes")
    if column.kind == "boolean":
        return Column(column.data.astype(np.int64), column.offsets, column.text)
    return column


def booleans(column: Column, what: str) -> Column:
    """The column; raises Refusal where it holds anything but true and false."""
    if column.kind != "boolean":
        raise Refusal(
            f"{what} needs true or false, and {column.quoted} holds {column.described}; compare it, for example with `!= 0`"
        )
    return column


def lists(column: Column, what: str) -> Column:
    """The column; raises Refusal where it has one value per entry."""
    if not column.depth:
        raise Refusal(f"{what} needs a list per entry, and {column.quoted} has one value per entry")
    return column


def unified(arrays: Sequence[Numbers]) -> list[Numbers]:
    """Arrays of one type: bool if all are, exact integers if all are, else float64."""
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
        raise Refusal("negative whole numbers and ones beyond 2^63 do not go together in 64 bits")
    return [array.astype(np.uint64, copy=False) for array in arrays]


def exact(result: Numbers, estimate: Numbers, offsets: tuple[Integers, ...]) -> Column:
    """A result of 64-bit arithmetic; raises Refusal where it left 64 bits, which the floating-point estimate tells."""
    wrapped = np.atleast_1d(np.abs(result.astype(np.float64) - estimate) > 2.0**62)
    if wrapped.any():
        entry = entry_of(offsets, int(np.argmax(wrapped)), len(offsets)) if result.ndim else None
        raise Refusal("a whole number beyond 64 bits results (`1.0 * x` makes floating-point numbers)", entry)
    return Column(result, offsets)


def _fits(array: Numbers) -> bool:
    return array.dtype != np.uint64 or not (array > np.uint64(LARGEST)).any()


def _numbers(data: Numbers) -> Numbers:
    """bool, int64, uint64 or float64: small integers can then neither wrap nor lose, and 0.1 means the same as in double precision."""
    if data.dtype.kind not in "biuf":
        raise Refusal(f"holds {data.dtype}, which is neither numbers nor text")
    if data.dtype.kind == "b" or data.dtype == np.uint64:
        return data
    return data.astype(np.float64 if data.dtype.kind == "f" else np.int64, copy=False)


def _inner(data: Numbers, offsets: list[Integers]) -> Numbers:
    """The inner dimensions of a rectangular array as lists of one length; they are appended to `offsets`."""
    while data.ndim > 1:
        n_list, length = data.shape[:2]
        offsets.append(np.arange(n_list + 1, dtype=np.int64) * length)
        data = data.reshape(n_list * length, *data.shape[2:])
    return np.ascontiguousarray(data)


def _without_missing(layout: Any) -> Any:
    """The content of an option type in which nothing is missing."""
    if ak.any(ak.is_none(ak.Array(layout))):
        raise Refusal("has missing values (None)")
    return ak.to_packed(ak.drop_none(layout, highlevel=False), highlevel=False)


def _repeated(column: Column, deepest: Column) -> Any:
    for level, (mine, theirs) in enumerate(zip(column.offsets, deepest.offsets, strict=False)):
        if mine is theirs or np.array_equal(mine, theirs):
            continue
        counts, others = np.diff(mine), np.diff(theirs)
        first = int(np.argmax(counts != others))
        raise Refusal(
            f"lists of different lengths, {counts[first]} for {column.quoted} and {others[first]} for {deepest.quoted},",
            entry_of(column.offsets, first, level),
        )
    if column.depth == deepest.depth:
        return column.data
    within = deepest.offsets[column.depth]
    for offsets in deepest.offsets[column.depth + 1 :]:
        within = offsets[within]
    return np.repeat(column.data, np.diff(within))
