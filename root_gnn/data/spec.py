"""A data spec: what the branches of somebody's file mean, units included."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from root_gnn.config.loader import load, validate
from root_gnn.config.plugins import Family
from root_gnn.config.section import Section
from root_gnn.config.shipped import find
from root_gnn.errors import suggest
from root_gnn.graph.features import EVENT_NODE_FEATURES, Features
from root_gnn.protocols import SourceConfig

UNITS = {"GeV": 1.0, "MeV": 1e-3, "TeV": 1e3, "rad": 1.0, "deg": 0.017453292519943295, "none": 1.0}
MOMENTUM = ("pt", "px", "py", "pz", "energy", "mass")
CYLINDRICAL = {"pt", "eta", "phi"}
CARTESIAN = {"px", "py", "pz"}
KINEMATIC = ("pt", "eta", "phi", "energy")
RESERVED = ("ids", "weight", "label", "truth")

Unit = Literal["GeV", "MeV", "TeV", "rad", "deg", "none"]


class Value(Section):
    """Where a number stands in the file and what was measured in; `above` turns it into 1 (greater) or 0."""

    branch: str
    unit: Unit | None = None
    above: float | None = None
    optional: bool = False


def _choices(given: Any) -> Any:
    """A branch name, a mapping, or a list of those: always a tuple of mappings, the first found in a file wins."""
    several = given if isinstance(given, list | tuple) else [given]
    return tuple({"branch": one} if isinstance(one, str) else one for one in several)


Choice = Annotated[tuple[Value, ...], BeforeValidator(_choices), Field(min_length=1)]


def _value(given: Any) -> Any:
    return {"branch": given} if isinstance(given, str) else given


def _values(given: Any) -> Any:
    return tuple(map(_value, given)) if isinstance(given, list | tuple) else (_value(given),)


Single = Annotated[Value, BeforeValidator(_value)]
Columns = Annotated[tuple[Value, ...], BeforeValidator(_values)]


class Collection(Section):
    """One kind of object: its node type and where its features stand.

    A momentum is `pt eta phi` or `px py pz`, with `energy`, or `mass`, or neither (massless). `single` objects come once
    per event and may leave out `eta` or `pz` (then 0): missing transverse momentum. `unit` holds for all momenta here.
    """

    type: int = Field(ge=0)
    features: dict[str, Choice]
    single: bool = False
    optional: bool = False
    unit: Literal["GeV", "MeV", "TeV"] = "GeV"

    @model_validator(mode="after")
    def _one_momentum(self) -> Self:
        given = set(self.features)
        along = {"eta", "pz"} if self.single else set()
        cylindrical, cartesian = CYLINDRICAL - along <= given, CARTESIAN - along <= given
        if cylindrical == cartesian or (cylindrical and given & CARTESIAN) or (cartesian and given & CYLINDRICAL):
            raise ValueError(f"a momentum is pt eta phi or px py pz, one of the two and complete; got {', '.join(self.features)}")
        if {"energy", "mass"} <= given:
            raise ValueError("give energy or mass, not both")
        return self

    @property
    def is_cartesian(self) -> bool:
        """Whether momenta stand in the file as px py pz."""
        return "px" in self.features

    def factor(self, name: str, value: Value) -> float:
        """What a number of the file is multiplied with to be in GeV or radians."""
        return UNITS[value.unit or (self.unit if name in MOMENTUM else "none")]


class Label(Section):
    """A branch whose value says the class; the order of `classes` is the class index."""

    branch: str
    classes: dict[str, int] = Field(min_length=1)


class Spec(Section):
    """What a file's branches mean.

    Attributes:
        name: how the spec is called in messages.
        source: the file format and where in a file to look (`name: root`, `tree: Events`).
        nodes: the collections that become nodes, in the order in which an event's nodes stand.
        node_features: columns of the nodes; `type` is the collection's number, a feature a collection lacks is 0.
        id: branches that tell events apart, what splits are hashed from; file and entry where there is none.
        resimulation: tells simulations of one hard event apart; follows the id columns, never enters the split.
        weight: branches whose product is the event weight (1 where there is none).
        truth: float columns by name.
        label: a branch that says the class; otherwise classes come from groups of files in the recipe.
    """

    name: str
    source: Annotated[SourceConfig, Family("data.sources")]
    nodes: dict[str, Collection] = Field(min_length=1)
    node_features: tuple[str, ...] = EVENT_NODE_FEATURES
    id: Columns = ()
    resimulation: Single | None = None
    weight: Columns = ()
    truth: dict[str, Single] = Field(default_factory=dict)
    label: Label | None = None

    @field_validator("nodes")
    @classmethod
    def _free_names(cls, nodes: dict[str, Collection]) -> dict[str, Collection]:
        taken = [name for name in nodes if name in RESERVED]
        if taken:
            raise ValueError(f"a collection cannot be called {taken[0]}: that name is used for a column of the events")
        return nodes

    @model_validator(mode="after")
    def _known_features(self) -> Self:
        missing = [name for name in (*KINEMATIC, "type") if name not in self.node_features]
        if missing:
            raise ValueError(f"node_features must hold {', '.join((*KINEMATIC, 'type'))}; {missing[0]} is missing")
        known = {*self.node_features, *MOMENTUM} - {"type"}
        for where, collection in self.nodes.items():
            for name in collection.features:
                if name not in known:
                    raise ValueError(f"nodes.{where}: {name} is neither part of a momentum nor in node_features{suggest(name, known)}")
        return self

    @property
    def stored_features(self) -> tuple[str, ...]:
        """The node features that records hold: all but `type`."""
        return tuple(name for name in self.node_features if name != "type")

    @property
    def id_names(self) -> tuple[str, ...]:
        """Names of the id columns: the branches of `id` (or file and entry), then `resimulation` where the spec has it."""
        names = tuple(value.branch for value in self.id) or ("file", "entry")
        return (*names, "resimulation") if self.resimulation else names

    @property
    def n_split_id(self) -> int:
        """How many of the id columns, from the first, decide the split."""
        return len(self.id) or 2

    def features(self) -> Features:
        """Names and number of types of the batches made with this spec."""
        return Features(nodes=self.node_features, n_type=1 + max(collection.type for collection in self.nodes.values()))

    def inputs_only(self) -> Spec:
        """The spec without label, truth and weight: what prediction needs of a file."""
        return self.model_copy(update={"label": None, "truth": {}, "weight": ()})

    def digest(self) -> str:
        """Hexadecimal digest of everything in the spec but its name: what a cache must agree with."""
        content = self.model_dump(mode="json", exclude={"name"})
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Collection, type and what its features are read from, in words."""
        for name, collection in self.nodes.items():
            parts = ", ".join(f"{feature}={'|'.join(map(_words, choice))}" for feature, choice in collection.features.items())
            yield name, str(collection.type), parts

    def __repr__(self) -> str:
        table = [("collection", "type", "features"), *self.rows()]
        width = max(len(row[0]) for row in table)
        lines = [f"{name:<{width}}  {kind:<4}  {parts}" for name, kind, parts in table]
        ids, weight = ", ".join(self.id_names), " * ".join(value.branch for value in self.weight) or "1"
        tail = f"id {ids}; weight {weight}; {len(self.truth)} truth columns"
        return "\n".join([f"Spec {self.name}", *lines, tail])

    __str__ = __repr__


def _words(value: Value) -> str:
    unit = f" {value.unit}" if value.unit else ""
    return f"{value.branch}{unit}" + (f" > {value.above:g}" if value.above is not None else "")


def load_spec(path_or_name: Path | str | Mapping[str, Any], *, beside: Path | None = None) -> Spec:
    """The spec in a YAML file, or of a shipped one by its name (`events`).

    Looked for as given, then in the folder `beside`, then among the shipped ones. Raises InputError with file, line and
    key where the file is wrong, and with the names of the shipped specs where there is none.
    """
    if isinstance(path_or_name, Mapping):
        return validate(Spec, path_or_name, origin="data spec", allow_dotted=True)
    return load(Spec, find(path_or_name, "spec", beside), allow_dotted=True)
