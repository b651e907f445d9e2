"""One kind of object of a file: its node type, and where its features stand."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from root_gnn.config.section import Section
from root_gnn.data.spec.value import SLOT, SYSTEMATIC, UNITS, Choice, Single, Text, Value

MOMENTUM = ("pt", "px", "py", "pz", "energy", "mass")
ANGLES = ("eta", "phi")
CYLINDRICAL = {"pt", "eta", "phi"}
CARTESIAN = {"px", "py", "pz"}


def _slots(given: Any) -> Any:
    return tuple(map(str, range(given))) if isinstance(given, int) and not isinstance(given, bool) else given


class CollectionMembers(Section):
    """An index table: `item` says which object of the collection belongs to the graph `row` of the entry."""

    row: str
    item: str


class Collection(Section):
    """One kind of object: its node type and where its features stand.

    A momentum is `pt eta phi` or `px py pz`, with `energy`, or `mass`, or neither (massless). `unit` holds for all momenta here.

    Attributes:
        type: the number in the node feature `type`.
        features: by name, a value, or several of which the first that a file has is taken.
        single: comes once per graph and may leave out `eta` or `pz` (then 0): missing transverse momentum.
        optional: a file without any of the branches has no such objects.
        slots: names (or how many, from 0) of numbered objects, put in place of `%SLOT%` in the branch names.
        mask: where it is 0 there is no object: padded arrays and slots.
        select: objects kept, an expression of this collection's features.
        members: the index table that gives the objects of each graph, with `graph_per`.
    """

    type: int = Field(ge=0)
    features: dict[str, Choice]
    single: bool = False
    optional: bool = False
    unit: Literal["GeV", "MeV", "TeV"] = "GeV"
    slots: Annotated[tuple[str, ...] | None, BeforeValidator(_slots)] = None
    mask: Single | None = None
    select: Text | None = None
    members: CollectionMembers | None = None

    @model_validator(mode="after")
    def _one_momentum(self) -> Self:
        given = set(self.features)
        along = {"eta", "pz"} if self.single else set()
        cylindrical, cartesian = CYLINDRICAL - along <= given, CARTESIAN - along <= given
        if cylindrical == cartesian or (cylindrical and given & CARTESIAN) or (cartesian and given & CYLINDRICAL):
            raise ValueError(
                f"a momentum is pt eta phi or px py pz, one of the two and complete; got {', '.join(self.features)}"
            )
        if {"energy", "mass"} <= given:
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
            raise ValueError("members say which objects there are; slots and mask cannot be given beside them")
        return self

    def values(self) -> list[Value]:
        """Every value of the collection, alternatives and mask included."""
        return [value for choice in self.features.values() for value in choice] + ([self.mask] if self.mask else [])

    def factor(self, name: str, value: Value) -> float:
        """What a number of the file is multiplied with to be in GeV or radians."""
        return UNITS[value.unit or (self.unit if name in MOMENTUM else "none")]

    def varied(self, name: str, nominal: str) -> Collection:
        """The same with a variation's name in place of `%SYS%` everywhere."""
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
