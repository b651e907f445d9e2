"""A value of the data spec: the branch or expression a number comes from, and its unit."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from root_gnn.config.section import Section
from root_gnn.errors import InputError
from root_gnn.expressions.expression import parse

UNITS = {"GeV": 1.0, "MeV": 1e-3, "TeV": 1e3, "rad": 1.0, "deg": 0.017453292519943295, "none": 1.0}
SLOT = "%SLOT%"
SYSTEMATIC = "%SYS%"
SHIFTED = re.compile(re.escape(SLOT) + r"\+(\d+)$")

Unit = Literal["GeV", "MeV", "TeV", "rad", "deg", "none"]


def checked_expression(text: str) -> str:
    """Returns an expression unchanged; raises ValueError where it cannot be parsed, placeholders taken as names."""
    try:
        parse(substitute(substitute(text, SLOT, "slot"), SYSTEMATIC, "nominal"))
    except InputError as error:
        raise ValueError(str(error)) from error
    return text


def substitute(text: str, placeholder: str, name: str) -> str:
    """The text with `name` in place of a placeholder."""
    return text.replace(placeholder, name)


def slot_branch(text: str, slot: str) -> str:
    """A branch with the name of a slot: `block.%SLOT%` of slot 3 is `block.3`, and `block.%SLOT%+2` is `block.5`."""
    shifted = SHIFTED.search(text)
    if shifted is None or not slot.isdigit():
        return _slot_name(text, slot)
    return _slot_name(f"{text[: shifted.start()]}{int(slot) + int(shifted[1])}", slot)


def _slot_name(text: str, slot: str) -> str:
    return substitute(text, SLOT, slot)


ExpressionText = Annotated[
    str, BeforeValidator(lambda value: checked_expression(value) if isinstance(value, str) else value)
]
"""An expression of the small language of `root_gnn.expressions`."""


class Value(Section):
    """A number of each object or entry: a branch, or an expression of branches.

    Attributes:
        branch: the name of a branch; either this or `expression`.
        expression: a formula of branches.
        unit: the unit in the file.
        above: a threshold; the number becomes 1 where it is greater, else 0.
        item: the index of the value taken from lists, 0 for the first, -1 for the last.
        missing: numbers that mean "not measured"; they become the spec's `fill`.
        optional: files may lack it.
        otherwise: the branch or expression read if the file lacks the first, as a variation falls back on the nominal
            one.
    """

    model_config = ConfigDict(allow_inf_nan=True)  # `missing` may name an infinity

    branch: str | None = None
    expression: ExpressionText | None = None
    unit: Unit | None = None
    above: float | None = None
    item: int | None = None
    missing: tuple[float, ...] = ()
    optional: bool = False
    otherwise: str | None = None
    _is_variation: bool = PrivateAttr(default=False)

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
        """The names of the branches it is computed from, placeholders included."""
        return names_in(self.text) if self.branch is None else (self.branch,)

    def at(self, slot: str) -> Value:
        """The value of one slot, whose name replaces `%SLOT%`; `%SLOT%+1` ends a branch of the number behind it."""
        fill = slot_branch if self.expression is None else _slot_name
        return self._with(fill(self.text, slot), self.otherwise and fill(self.otherwise, slot))

    def varied(self, name: str, nominal: str) -> Value:
        """The value of a systematic variation, whose name replaces `%SYS%`; `nominal` is the fallback."""
        if SYSTEMATIC not in self.text:
            return self
        value = self._with(
            substitute(self.text, SYSTEMATIC, name),
            None if name == nominal else substitute(self.text, SYSTEMATIC, nominal),
        )
        value._is_variation = name != nominal
        return value

    @property
    def is_variation(self) -> bool:
        """Whether it is a systematic variation, which falls back on the nominal form."""
        return self._is_variation

    def fallback(self) -> Value:
        """The value read if the file lacks the first choice; the value itself if there is none."""
        if self.otherwise is None:
            return self
        value = self._with(self.otherwise, None)
        value._is_variation = False
        return value

    def _with(self, text: str, otherwise: str | None) -> Value:
        origin = {"expression": text} if self.branch is None else {"branch": text}
        return self.model_copy(update={**origin, "otherwise": otherwise})

    def __str__(self) -> str:
        """The value as text: branch or expression, item, unit and threshold."""
        index = "" if self.item is None else f"[{self.item}]"
        return (
            f"{self.text}{index}"
            + (f" {self.unit}" if self.unit else "")
            + ("" if self.above is None else f" > {self.above:g}")
        )


def names_in(text: str) -> tuple[str, ...]:
    """The names an expression reads."""
    return parse(text).names


def _mapping(value: Any) -> Any:
    return {"branch": value} if isinstance(value, str) else value


def _choices(value: Any) -> Any:
    """A tuple of mappings from a branch name, a mapping, or a list of those; the first that a file has is read."""
    return tuple(map(_mapping, value if isinstance(value, list | tuple) else [value]))


def _computed(value: Any) -> Any:
    return {"expression": value} if isinstance(value, str) else value


Single = Annotated[Value, BeforeValidator(_mapping)]
Alternatives = Annotated[tuple[Value, ...], BeforeValidator(_choices), Field(min_length=1)]
ColumnList = Annotated[tuple[Value, ...], BeforeValidator(_choices)]
Condition = Annotated[Value, BeforeValidator(_computed)]
"""A value whose bare text is an expression instead of a branch."""
