"""Where a number stands in a file, and in what unit."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from root_gnn.config.section import Section
from root_gnn.errors import InputError
from root_gnn.expressions.expression import parse

UNITS = {"GeV": 1.0, "MeV": 1e-3, "TeV": 1e3, "rad": 1.0, "deg": 0.017453292519943295, "none": 1.0}
SLOT = "%SLOT%"
SYSTEMATIC = "%SYS%"

Unit = Literal["GeV", "MeV", "TeV", "rad", "deg", "none"]


def checked(text: str) -> str:
    """An expression as it stands; raises ValueError where it cannot be parsed (its placeholders stand for names)."""
    try:
        parse(filled(filled(text, SLOT, "slot"), SYSTEMATIC, "nominal"))
    except InputError as error:
        raise ValueError(str(error)) from error
    return text


def filled(text: str, placeholder: str, name: str) -> str:
    """The text with a placeholder replaced."""
    return text.replace(placeholder, name)


Text = Annotated[str, BeforeValidator(lambda given: checked(given) if isinstance(given, str) else given)]
"""An expression of the small language of `root_gnn.expressions`."""


class Value(Section):
    """A number of each object or entry: a branch as it stands, or an expression of branches.

    Attributes:
        branch: the branch, or
        expression: what is computed from branches.
        unit: what it was measured in.
        above: the number becomes 1 where it is greater than this, else 0.
        item: the branch holds lists; of each the one at this place (0 the first, -1 the last) is taken.
        missing: numbers that mean "not measured"; they become the spec's `fill`.
        optional: files may lack it.
        otherwise: the branch or expression read where the file lacks the first; how a variation falls back on the nominal.
    """

    branch: str | None = None
    expression: Text | None = None
    unit: Unit | None = None
    above: float | None = None
    item: int | None = None
    missing: tuple[float, ...] = ()
    optional: bool = False
    otherwise: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.branch is None) == (self.expression is None):
            raise ValueError("give branch (a name as it stands in the file) or expression, one of the two")
        if self.otherwise is not None and SYSTEMATIC in self.text + self.otherwise:
            raise ValueError(f"a name with {SYSTEMATIC} falls back on its nominal form by itself; leave otherwise out")
        return self

    @property
    def text(self) -> str:
        """The branch or the expression."""
        return self.branch if self.branch is not None else str(self.expression)

    @property
    def reads(self) -> tuple[str, ...]:
        """The names it is made of, placeholders included."""
        return names_in(self.text) if self.branch is None else (self.branch,)

    def at(self, slot: str) -> Value:
        """The same with a slot's name in place of `%SLOT%`."""
        return self._with(filled(self.text, SLOT, slot), self.otherwise and filled(self.otherwise, SLOT, slot))

    def varied(self, name: str, nominal: str) -> Value:
        """The same with a variation's name in place of `%SYS%`, and the nominal one where a file has no such variation."""
        if SYSTEMATIC not in self.text:
            return self
        return self._with(
            filled(self.text, SYSTEMATIC, name), None if name == nominal else filled(self.text, SYSTEMATIC, nominal)
        )

    def fallen_back(self) -> Value:
        """What is read where the file lacks the first choice."""
        return self if self.otherwise is None else self._with(self.otherwise, None)

    def _with(self, text: str, otherwise: str | None) -> Value:
        origin = {"expression": text} if self.branch is None else {"branch": text}
        return self.model_copy(update={**origin, "otherwise": otherwise})

    def __str__(self) -> str:
        """The value in words: branch or expression, item, unit and working point."""
        place = "" if self.item is None else f"[{self.item}]"
        return (
            f"{self.text}{place}"
            + (f" {self.unit}" if self.unit else "")
            + ("" if self.above is None else f" > {self.above:g}")
        )


def names_in(text: str) -> tuple[str, ...]:
    """The names an expression reads."""
    return parse(text).names


def _mapping(given: Any) -> Any:
    return {"branch": given} if isinstance(given, str) else given


def _choices(given: Any) -> Any:
    """A branch name, a mapping, or a list of those: always a tuple of mappings, the first found in a file wins."""
    return tuple(map(_mapping, given if isinstance(given, list | tuple) else [given]))


def _computed(given: Any) -> Any:
    return {"expression": given} if isinstance(given, str) else given


Single = Annotated[Value, BeforeValidator(_mapping)]
Choice = Annotated[tuple[Value, ...], BeforeValidator(_choices), Field(min_length=1)]
ColumnList = Annotated[tuple[Value, ...], BeforeValidator(_choices)]
Condition = Annotated[Value, BeforeValidator(_computed)]
"""A value whose bare text is an expression instead of a branch."""
