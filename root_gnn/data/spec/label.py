"""The label of a data spec: how the class of an entry follows from the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from root_gnn.config.section import Section, Words
from root_gnn.data.spec.value import SYSTEMATIC, Condition, Single, Value, substitute

KINDS = ("branch", "one_hot", "trees", "expressions")
NO_LABEL = -1
"""The class index of an event that belongs to no class."""


class Label(Section):
    """The class of an entry, declared in one of four ways; the order of the classes is the class index.

    Attributes:
        branch: a branch of integers.
        classes: by class, its value in that branch.
        one_hot: by class, a branch (or value) that is not 0 where the entry belongs to the class.
        trees: by class, the trees of the file that hold it, where `source.tree` lists several.
        expressions: by class, a condition of branches and of `<collection>_<feature>` in GeV and radians.
        other: what to do with an entry of no class: `stop` or `drop`.
        optional: files (collision data) may lack the label; their entries have none.
    """

    branch: str | None = None
    classes: dict[str, int] = Field(default_factory=dict)
    one_hot: dict[str, Single] = Field(default_factory=dict)
    trees: dict[str, Words] = Field(default_factory=dict)
    expressions: dict[str, Condition] = Field(default_factory=dict)
    other: Literal["stop", "drop"] = "stop"
    optional: bool = False

    @field_validator("classes", mode="before")
    @classmethod
    def _one_whole_number_each(cls, classes: Any) -> Any:
        for name, value in classes.items() if isinstance(classes, Mapping) else ():
            if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
                form = f"process == '{value}'"
            elif isinstance(value, list | tuple):
                form = f"process in ({', '.join(map(repr, value))})"
            else:
                continue
            raise ValueError(
                f"classes: {name} is no whole number; classes by words or by several values are conditions on the "
                f'branch: `expressions: {{{name}: "{form}"}}`'
            )
        return classes

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        declared = [kind for kind in KINDS if getattr(self, kind)]
        if len(declared) != 1:
            raise ValueError(f"give one of {', '.join(KINDS)}; got {' and '.join(declared) or 'none'}")
        if bool(self.branch) != bool(self.classes):
            raise ValueError("branch and classes (name: value) belong together")
        if len(set(self.classes.values())) < len(self.classes):
            raise ValueError("classes: two classes have the same value; each needs one of its own")
        return self

    def values(self) -> tuple[Value, ...]:
        """The values that are read: the branch, or one for each class; none where trees are the classes."""
        return (Value(branch=self.branch),) if self.branch else (*self.one_hot.values(), *self.expressions.values())

    def varied(self, name: str, nominal: str) -> Label:
        """The label of a systematic variation, whose name replaces `%SYS%`."""
        update: dict[str, Any] = {
            kind: {key: value.varied(name, nominal) for key, value in getattr(self, kind).items()}
            for kind in ("one_hot", "expressions")
        }
        return self.model_copy(update={**update, "branch": self.branch and substitute(self.branch, SYSTEMATIC, name)})

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, by index."""
        return tuple(self.classes or self.one_hot or self.trees or self.expressions)
