"""The language of selections and derived columns: expressions are parsed here and evaluated on whole arrays.

A name is a column. Operators and functions work elementwise, one value per entry is combined with every value of a
list, and reductions such as `sum` act on the innermost lists. docs/expressions.md is the reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from root_gnn.errors import InputError, suggest
from root_gnn.expressions.columns import (
    Column,
    EvaluationError,
    column_of,
    constant_column,
    refuse_inexact,
    to_array,
)
from root_gnn.expressions.functions import FUNCTIONS
from root_gnn.expressions.operators import OPERATORS
from root_gnn.expressions.parser import Parser, Step
from root_gnn.expressions.tokens import NAME, located_error, printable

MANY = 60  # a message lists the known names only if there are fewer


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    Attributes:
        text: the expression as written.
        where: the beginning of messages, such as `select`.
        names: the names of branches in it, in the order of first use, without backquotes.
        columns: the position in the text (from 1) of each name's first use.
        steps: the operations in postfix order.
    """

    text: str
    where: str
    names: tuple[str, ...]
    columns: dict[str, int]
    steps: tuple[Step, ...]

    def evaluate(self, values: Mapping[str, Any], n_entry: int, *, start: int = 0) -> Any:
        """The value of each entry: a NumPy array `(n_entry,)`, or an awkward array of lists.

        `values` holds a NumPy or awkward array of `n_entry` entries for each name; `start` is the index of the first
        entry in messages. The result is bool, int64, uint64 or float64 and may share memory with `values`; division by
        zero gives infinity or NaN. Raises InputError with the position in the text where kinds or lengths do not match,
        or a list is too short for its subscript.
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
                except EvaluationError as error:
                    entry = "" if error.entry is None else f" in entry {start + error.entry}"
                    raise self.error(f"{error.reason}{entry}", step.caret + 1) from None
                stack.append(replace(column, text=printable(self.text[step.start : step.end])))
        (result,) = stack
        try:
            refuse_inexact(result)
        except EvaluationError as error:
            raise self.error(error.reason, self.steps[-1].caret + 1) from None
        if result.kind == "text":
            raise self.error("the result is text; compare it with a text in quotes", self.steps[-1].start + 1)
        return to_array(result, n_entry)

    @property
    def elementwise(self) -> bool:
        """Whether the value of an item of a list depends on that item alone."""
        return not any(
            step.operation == "element"
            or (step.operation == "call" and FUNCTIONS[step.detail].arguments.startswith("list"))
            for step in self.steps
        )

    def conjuncts(self) -> tuple[Expression, ...]:
        """The conditions that `and` joins; the expression itself if there is no `and` outside of parentheses."""
        if self.steps[-1].operation != "and":
            return (self,)
        parts: list[tuple[Step, ...]] = []
        end = len(self.steps) - 1
        for _ in range(self.steps[-1].n_argument):
            begin, needed = end, 1
            while needed:  # postfix: the arguments of a step stand in front of it
                begin -= 1
                needed += self.steps[begin].n_argument - 1
            parts.insert(0, self.steps[begin:end])
            end = begin
        names = [dict.fromkeys(step.detail for step in part if step.operation == "name") for part in parts]
        expressions = (replace(self, steps=part, names=tuple(name)) for part, name in zip(parts, names, strict=True))
        return tuple(each for expression in expressions for each in expression.conjuncts())

    def error(self, reason: str, column: int = 1) -> InputError:
        """An error with a reason that points at a position (from 1) of the text."""
        return located_error(self.where, self.text, column - 1, reason)

    def unknown(self, name: str, known: Iterable[str], path: Path | str | None = None) -> InputError:
        """An error for a name that is not among the `known` branches of the file `path`, with similar names."""
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
        return located_error(
            f"{file}{self.where}", self.text, self.columns.get(name, 1) - 1, f"unknown branch `{printable(name)}`{near}"
        )

    def _read(self, step: Step, values: Mapping[str, Any], read: dict[str, Column], n_entry: int) -> Column:
        name = step.detail
        if name not in read:
            if name not in values:
                raise self.unknown(name, values)
            try:
                read[name] = column_of(values[name])
            except EvaluationError as error:
                raise EvaluationError(f"branch {printable(name)} {error.reason}") from None
            n_value_entry = len(read[name].offsets[0]) - 1 if read[name].depth else len(read[name].data)
            if n_value_entry != n_entry:
                raise EvaluationError(f"branch {printable(name)} has {n_value_entry} entries and not {n_entry}")
        return read[name]


def parse(text: str, *, where: str = "expression") -> Expression:
    """Parses an expression of at most 2,000 characters and 50 levels of nesting.

    `where` is the key the text comes from, such as `select` or `nodes.jet.select`. Raises InputError that says what was
    expected and shows the text with a caret under the mistake.
    """
    steps = Parser(text, where).parse()
    columns: dict[str, int] = {}
    for step in steps:
        if step.operation == "name":
            columns.setdefault(step.detail, step.caret + 1)
    return Expression(text, where, tuple(columns), columns, steps)


def _run(step: Step, arguments: list[Column]) -> Column:
    if step.operation == "constant":
        return constant_column(step.detail)
    if (step.operation, step.detail) != ("call", "floor"):
        for argument in arguments:
            refuse_inexact(argument)
    return OPERATORS[step.operation](arguments, step.detail)
