"""The small language of selections and derived columns: parsed by us, computed on whole arrays, reduced per entry.

A name is a column; operators and functions work value by value, one value per entry goes with every value of a list, and reductions
such as `sum` take the innermost list of each entry. docs/expressions.md is the reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from root_gnn.errors import InputError, suggest
from root_gnn.expressions.columns import Column, Refusal, array_of, column_of, constant
from root_gnn.expressions.operators import OPERATORS
from root_gnn.expressions.parser import Parser, Step
from root_gnn.expressions.tokens import NAME, complaint, shown

MANY = 60  # known names beyond which a message does not list them all


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    Attributes:
        text: as it was written.
        where: what messages begin with, such as `select`.
        names: the names it reads, in the order of first use, without backquotes.
        columns: the column (from 1) of each name's first use.
        steps: the operations in postfix order.
    """

    text: str
    where: str
    names: tuple[str, ...]
    columns: dict[str, int]
    steps: tuple[Step, ...]

    def evaluate(self, values: Mapping[str, Any], n_entry: int, *, start: int = 0) -> Any:
        """The value of every entry: NumPy `(n_entry,)`, or an awkward array of lists.

        `values` holds a NumPy or awkward array of `n_entry` for each name; `start` is the number of the first entry in messages. The
        result is bool, int64, uint64 or float64 and may share memory with `values`; division by zero gives infinity or NaN. Raises
        InputError with the column of the text where kinds or lengths do not fit, and where a list is too short for its subscript.
        """
        stack: list[Column] = []
        read: dict[str, Column] = {}
        with np.errstate(all="ignore"):
            for step in self.steps:
                arguments = stack[len(stack) - step.n_argument :]
                del stack[len(stack) - step.n_argument :]
                try:
                    column = (
                        self._read(step, values, read, n_entry) if step.operation == "name" else _run(step, arguments)
                    )
                except Refusal as refusal:
                    place = "" if refusal.entry is None else f" in entry {start + refusal.entry}"
                    raise self.error(f"{refusal.reason}{place}", step.at + 1) from None
                stack.append(replace(column, text=shown(self.text[step.start : step.end])))
        (result,) = stack
        if result.kind == "text":
            raise self.error("the result is text; compare it with a text in quotes", self.steps[-1].start + 1)
        return array_of(result, n_entry)

    def error(self, reason: str, column: int = 1) -> InputError:
        """The error that gives a reason and points at a column (from 1) of the text."""
        return complaint(self.where, self.text, column - 1, reason)

    def unknown(self, name: str, known: Iterable[str], path: Path | str | None = None) -> InputError:
        """The error for a name that is no column of the file at `path`, with near names of those that are `known`."""
        known = sorted(known)
        unquoted = [other for other in known if not NAME.fullmatch(other) and other in self.text and name in other]
        near = (
            f"; names with other characters stand in backquotes: `{max(unquoted, key=len)}`"
            if unquoted
            else suggest(name, known)
        )
        if len(known) >= MANY:
            near = near.partition("; known are")[0]
        file = "" if path is None else f"{path}: "
        return complaint(
            f"{file}{self.where}", self.text, self.columns.get(name, 1) - 1, f"unknown branch `{shown(name)}`{near}"
        )

    def _read(self, step: Step, values: Mapping[str, Any], read: dict[str, Column], n_entry: int) -> Column:
        name = step.detail
        if name not in read:
            if name not in values:
                raise self.unknown(name, values)
            try:
                read[name] = column_of(values[name])
            except Refusal as refusal:
                raise Refusal(f"branch {shown(name)} {refusal.reason}") from None
            n_found = len(read[name].offsets[0]) - 1 if read[name].depth else len(read[name].data)
            if n_found != n_entry:
                raise Refusal(f"branch {shown(name)} has {n_found} entries and not {n_entry}")
        return read[name]


def parse(text: str, *, where: str = "expression") -> Expression:
    """Reads an expression; raises InputError that shows the text with a caret under the offending column, and what was expected.

    `where` is the key the text comes from, such as `select` or `nodes.jet.select`. At most 2,000 characters and 50 levels of nesting.
    """
    steps = Parser(text, where).parse()
    columns: dict[str, int] = {}
    for step in steps:
        if step.operation == "name":
            columns.setdefault(step.detail, step.at + 1)
    return Expression(text, where, tuple(columns), columns, steps)


def _run(step: Step, arguments: list[Column]) -> Column:
    return constant(step.detail) if step.operation == "constant" else OPERATORS[step.operation](arguments, step.detail)
