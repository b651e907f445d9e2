"""A collection of the data spec: one kind of object, its node type, and the branches of its features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from root_gnn.config.section import Section
from root_gnn.data.spec.value import SLOT, SYSTEMATIC, UNITS, Alternatives, ExpressionText, Single, Value

MOMENTUM = ("pt", "px", "py", "pz", "energy", "mass")
ANGLES = ("eta", "phi")
CYLINDRICAL = {"pt", "eta", "phi"}
CARTESIAN = {"px", "py", "pz"}


class SlotNumbers(Section):
    """Slots whose names are numbers at equal distances: 0, 3, 6 are `{count: 3, step: 3}`.

    Attributes:
        count: how many.
        step: the distance from one to the next.
        start: the first.
    """

    count: int = Field(ge=1)
    step: int = Field(1, ge=1)
    start: int = Field(0, ge=0)


def _slots(value: Any) -> Any:
    if isinstance(value, Mapping):
        numbers = SlotNumbers.model_validate(value)
        return tuple(str(numbers.start + index * numbers.step) for index in range(numbers.count))
    return tuple(map(str, range(value))) if isinstance(value, int) and not isinstance(value, bool) else value


class CollectionMembers(Section):
    """An index table: the object `item` of the collection belongs to the graph `row` of the entry.

    Attributes:
        row: the branch of graph indices, a list per entry.
        item: the branch of object indices, of the same lengths.
    """

    row: str
    item: str


class Collection(Section):
    """One kind of object: its node type and the branches of its features.

    A momentum is `pt eta phi` or `px py pz`, with `energy`, or `mass`, or neither (massless).

    Attributes:
        type: the number in the node feature `type`.
        features: by name, a value, or alternatives, of which the first that a file has is read.
        single: whether each graph has exactly one, which may lack `eta` or `pz` (then 0): missing transverse momentum.
        optional: whether a file may lack all of the branches; it then has no such objects.
        unit: the unit of all momenta of the collection.
        slots: the names of numbered objects (or how many, from 0, or `{count, step, start}`), which replace `%SLOT%` in
            branch names.
        mask: a value that is 0 where there is no object: padded arrays and slots.
        select: the condition on objects, an expression of this collection's features.
        members: the index table that assigns objects to graphs, with `graph_per`.
    """

    type: int = Field(ge=0)
    features: dict[str, Alternatives]
    single: bool = False
    optional: bool = False
    unit: Literal["GeV", "MeV", "TeV"] = "GeV"
    slots: Annotated[tuple[str, ...] | None, BeforeValidator(_slots)] = None
    mask: Single | None = None
    select: ExpressionText | None = None
    members: CollectionMembers | None = None

    @model_validator(mode="after")
    def _one_momentum(self) -> Self:
        names = set(self.features)
        along = {"eta", "pz"} if self.single else set()
        cylindrical, cartesian = CYLINDRICAL - along <= names, CARTESIAN - along <= names
        if cylindrical == cartesian or (cylindrical and names & CARTESIAN) or (cartesian and names & CYLINDRICAL):
            raise ValueError(
                f"a momentum is pt eta phi or px py pz, one of the two and complete; got {', '.join(self.features)}"
            )
        if {"energy", "mass"} <= names:
            raise ValueError("give energy or mass, not both")
        return self

    @model_validator(mode="after")
    def _fitting_units(self) -> Self:
        for name in (*MOMENTUM, *ANGLES):
            for value in self.features.get(name, ()):
                if (
                    value.unit is not None
                    and (value.unit in ("rad", "deg")) == (name in MOMENTUM)
                    and value.unit != "none"
                ):
                    raise ValueError(
                        f"{name}: the unit {value.unit} is that of {'an angle' if name in MOMENTUM else 'a momentum'}"
                    )
        return self

    @model_validator(mode="after")
    def _one_way_of_counting(self) -> Self:
        texts = [value.text for value in self.values()]
        if self.slots is None and any(SLOT in text for text in texts):
            raise ValueError(f"{SLOT} needs slots: the names that stand in its place, or how many")
        if self.slots is not None and not all(SLOT in text for text in texts):
            lacking = next(text for text in texts if SLOT not in text)
            raise ValueError(f"with slots every branch is one of a slot, so {lacking} needs {SLOT} in its name")
        if self.slots is not None and not self.slots:
            raise ValueError("slots: one at least is needed")
        if self.single and (self.slots is not None or self.mask or self.select or self.members):
            raise ValueError(
                "single objects come once per graph: slots, mask, select and members make no sense for them"
            )
        if self.members and (self.slots is not None or self.mask):
            raise ValueError("members list the objects; slots and mask cannot be combined with them")
        return self

    def values(self) -> list[Value]:
        """Every value of the collection, alternatives and mask included."""
        return [value for choice in self.features.values() for value in choice] + ([self.mask] if self.mask else [])

    def factor(self, name: str, value: Value) -> float:
        """The factor that converts a number of the file to GeV or radians."""
        return UNITS[value.unit or (self.unit if name in MOMENTUM else "none")]

    def varied(self, name: str, nominal: str) -> Collection:
        """The collection of a systematic variation, whose name replaces `%SYS%`; `nominal` is the fallback."""
        update: dict[str, Any] = {
            "features": {
                key: tuple(value.varied(name, nominal) for value in choice) for key, choice in self.features.items()
            },
            "mask": self.mask and self.mask.varied(name, nominal),
        }
        if self.members:
            row, item = (text.replace(SYSTEMATIC, name) for text in (self.members.row, self.members.item))
            update["members"] = CollectionMembers(row=row, item=item)
        return self.model_copy(update=update)
