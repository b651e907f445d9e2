"""How a file says which class an entry belongs to."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from root_gnn.config.section import Section, Words
from root_gnn.data.spec.value import SYSTEMATIC, Condition, Single, Value, filled

FORMS = ("branch", "one_hot", "trees", "expressions")
NO_LABEL = -1
"""What stands for the class of an event that has none."""


class Label(Section):
    """The class of an entry, in one of four forms; the order of the classes is the class index.

    Attributes:
        branch: a branch of whole numbers, whose values `classes` name.
        one_hot: by class, a branch (or value) that is not 0 where the entry belongs to it.
        trees: by class, the trees of the file it stands in, where `source.tree` lists several.
        expressions: by class, what holds for it, of branches and of `<collection>_<feature>` in GeV and radians.
        other: what happens to an entry that is no class: `stop` or `drop`.
        optional: files (collision data) may lack it; their entries have no label.
    """

    branch: str | None = None
    classes: dict[str, int] = Field(default_factory=dict)
    one_hot: dict[str, Single] = Field(default_factory=dict)
    trees: dict[str, Words] = Field(default_factory=dict)
    expressions: dict[str, Condition] = Field(default_factory=dict)
    other: Literal["stop", "drop"] = "stop"
    optional: bool = False

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = [form for form in FORMS if getattr(self, form)]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(FORMS)}; got {' and '.join(given) or 'none'}")
        if bool(self.branch) != bool(self.classes):
            raise ValueError("branch and classes (name: value) belong together")
        if len(set(self.classes.values())) < len(self.classes):
            raise ValueError("classes: two classes have the same value; each needs one of its own")
        return self

    def values(self) -> tuple[Value, ...]:
        """What is read: the branch, or one value for each class; nothing where trees are the classes."""
        return (Value(branch=self.branch),) if self.branch else (*self.one_hot.values(), *self.expressions.values())

    def varied(self, name: str, nominal: str) -> Label:
        """The same with a variation's name in place of `%SYS%` everywhere."""
        update: dict[str, Any] = {
            form: {key: value.varied(name, nominal) for key, value in getattr(self, form).items()}
            for form in ("one_hot", "expressions")
        }
        return self.model_copy(update={**update, "branch": self.branch and filled(self.branch, SYSTEMATIC, name)})

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, by index."""
        return tuple(self.classes or self.one_hot or self.trees or self.expressions)
