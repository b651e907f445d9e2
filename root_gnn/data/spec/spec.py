"""The data spec, a YAML file that gives the branches of data files their meaning and units."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from root_gnn.config.loader import load, validate
from root_gnn.config.plugins import Family
from root_gnn.config.section import Section
from root_gnn.config.shipped import find
from root_gnn.data.spec.collection import MOMENTUM, Collection
from root_gnn.data.spec.label import Label
from root_gnn.data.spec.value import SYSTEMATIC, ColumnList, Condition, Single, Value, substitute
from root_gnn.errors import InputError, suggest
from root_gnn.graph.features import EVENT_NODE_FEATURES, Features
from root_gnn.graph.scaling import TRANSFORMS
from root_gnn.protocols import SourceConfig

KINEMATIC = ("pt", "eta", "phi", "energy")
RESERVED = ("ids", "weight", "label", "truth", "globals", "split", "entry")
SPLITS = ("train", "validation", "test")
"""The splits of the data; each is stored as its index."""
POLICIES = ("name", "on_bad_file", "on_duplicate", "on_mixed_units", "transforms", "systematics")
"""Keys that do not change the arrays read from a file."""


class FileSplit(Section):
    """The branch with the split of an entry, and its value for each split."""

    branch: str
    train: int = 0
    validation: int = 1
    test: int = 2

    @model_validator(mode="after")
    def _each_its_value(self) -> Self:
        if len({self.train, self.validation, self.test}) < 3:
            raise ValueError("train, validation and test need a value each, and no two the same")
        return self


class Spec(Section):
    """The meaning of a file's branches.

    Attributes:
        name: the name of the spec in messages.
        source: the file format and its options (`name: root`, `tree: Events`); any format by default.
        nodes: the collections that become nodes, in the order of a graph's nodes.
        node_features: columns of the nodes; `type` is the collection's number, and a feature that a collection lacks is
            0.
        transforms: by node feature, its transform before standardisation; momenta are log-transformed.
        globals: further columns of the graph's globals, behind the number of nodes.
        graph_per: a branch with a list per entry, whose values are the graphs (jets); without it every entry is a
            graph.
        select: the condition on graphs, an expression of branches and of `<collection>_<feature>` in GeV and radians.
        id: branches that identify an event and whose hash decides its split; file and entry if there are none.
        resimulation: identifies simulations of one hard event; an id column that never decides the split.
        object: identifies graphs (jets) of one event; an id column that never decides the split.
        weight: branches whose product is the event weight; 1 if there are none.
        truth: by name, values stored as float columns for labels and studies.
        label: the class of an entry; without it, classes come from groups of files in the recipe.
        split: the branch with the split of an entry.
        systematics: names that replace `%SYS%` in branch names, the nominal one first.
        on_bad_file: what to do with a file that cannot be read.
        on_nan: what to do at NaN or infinity: stop, drop the entry, or replace the number by `fill`.
        on_duplicate: what to do where one class has an event twice.
        on_mixed_units: what to do where momenta differ as GeV and MeV do, between files or inside one.
        fill: the number that replaces missing ones.
    """

    name: str
    source: Annotated[SourceConfig, Family("data.sources")] = Field(default="auto", validate_default=True)
    nodes: dict[str, Collection] = Field(min_length=1)
    node_features: tuple[str, ...] = EVENT_NODE_FEATURES
    transforms: dict[str, str] = Field(default_factory=dict)
    globals: dict[str, Single] = Field(default_factory=dict)
    graph_per: str | None = None
    select: Condition | None = None
    id: ColumnList = ()
    resimulation: Single | None = None
    object: Single | None = None
    weight: ColumnList = ()
    truth: dict[str, Single] = Field(default_factory=dict)
    label: Label | None = None
    split: FileSplit | None = None
    systematics: tuple[str, ...] = ()
    on_bad_file: Literal["stop", "skip"] = "stop"
    on_nan: Literal["stop", "drop", "fill"] = "stop"
    on_duplicate: Literal["stop", "keep"] = "stop"
    on_mixed_units: Literal["stop", "keep"] = "stop"
    fill: float = 0.0

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
                    raise ValueError(
                        f"nodes.{where}: {name} is neither part of a momentum nor in "
                        f"node_features{suggest(name, known)}"
                    )
        for name, transform in self.transforms.items():
            if name not in self.node_features:
                raise ValueError(f"transforms: {name} is not in node_features{suggest(name, self.node_features)}")
            if transform not in TRANSFORMS:
                raise ValueError(
                    f"transforms: {name}: there is no transform {transform}{suggest(transform, TRANSFORMS)}"
                )
        return self

    @model_validator(mode="after")
    def _fitting_parts(self) -> Self:
        if self.graph_per is None and any(collection.members for collection in self.nodes.values()):
            raise ValueError("members need graph_per: the list whose values are the graphs they belong to")
        if self.graph_per is not None and self.object is not None:
            raise ValueError("with graph_per the object is the index in that list; leave object out")
        if self.label and self.label.trees:
            trees = self.source.trees
            unknown = [tree for names in self.label.trees.values() for tree in names if tree not in trees]
            if unknown:
                raise ValueError(
                    f"label.trees: {unknown[0]} is not among the trees of the source{suggest(unknown[0], trees)}"
                )
        if any(SYSTEMATIC in text for text in _texts(self.model_dump(mode="json"))) != bool(self.systematics):
            raise ValueError(
                f"{SYSTEMATIC} in names and systematics (what stands in its place, the nominal one first) belong "
                "together"
            )
        left = (
            [text for text in _texts(self.variation().model_dump(mode="json")) if SYSTEMATIC in text]
            if self.systematics
            else []
        )
        if left:
            raise ValueError(
                f"{left[0]}: {SYSTEMATIC} stands for a variation in names of branches only, and this is none"
            )
        return self

    @property
    def stored_features(self) -> tuple[str, ...]:
        """The node features stored in records: all but `type`."""
        return tuple(name for name in self.node_features if name != "type")

    @property
    def id_names(self) -> tuple[str, ...]:
        """The id columns: those of `id` (or file and entry), `resimulation`, `object` (the index in `graph_per`)."""
        names = tuple(value.text for value in self.id) or ("file", "entry")
        return (
            *names,
            *(["resimulation"] if self.resimulation else []),
            *(["object"] if self.graph_per or self.object else []),
        )

    @property
    def n_split_id(self) -> int:
        """How many id columns, counted from the first, decide the split."""
        return len(self.id) or 2

    @property
    def keeps_entries(self) -> bool:
        """Whether every entry of a file is one graph, in order."""
        drops = self.select or self.on_nan == "drop" or (self.label and self.label.other == "drop")
        return self.graph_per is None and not drops

    def features(self) -> Features:
        """The columns of batches made with this spec: names, transforms and number of node types."""
        plain = Features()
        return Features(
            nodes=self.node_features,
            globals=(*plain.globals, *self.globals),
            transforms={**plain.transforms, **self.transforms},
            n_type=1 + max(collection.type for collection in self.nodes.values()),
        )

    def inputs_only(self) -> Spec:
        """The spec without label, truth, weight and split, for prediction; events may come twice."""
        return self.model_copy(update={"label": None, "truth": {}, "weight": (), "split": None, "on_duplicate": "keep"})

    def variation(self, name: str | None = None) -> Spec:
        """The spec of one systematic variation, by default the nominal one, free of placeholders.

        Branches without that variation are read in their nominal form, except those of `graph_per`, `split` and
        `label.branch`. Raises InputError where the spec has no such variation.
        """
        if not self.systematics:
            if name is not None:
                raise InputError(f"The spec {self.name} has no systematics, so no variation {name}.")
            return self
        nominal = self.systematics[0]
        name = nominal if name is None else name
        if name not in self.systematics:
            raise InputError(f"The spec {self.name} has no variation {name}{suggest(name, self.systematics)}.")

        def vary(value: Value) -> Value:
            return value.varied(name, nominal)

        split = self.split and self.split.model_copy(update={"branch": substitute(self.split.branch, SYSTEMATIC, name)})

        return self.model_copy(
            update={
                "nodes": {key: collection.varied(name, nominal) for key, collection in self.nodes.items()},
                **{
                    key: {column: vary(value) for column, value in getattr(self, key).items()}
                    for key in ("globals", "truth")
                },
                "weight": tuple(map(vary, self.weight)),
                "id": tuple(map(vary, self.id)),
                "select": self.select and vary(self.select),
                "graph_per": self.graph_per and self.graph_per.replace(SYSTEMATIC, name),
                "resimulation": self.resimulation and vary(self.resimulation),
                "object": self.object and vary(self.object),
                "split": split,
                "label": self.label and self.label.varied(name, nominal),
                "systematics": (),
            }
        )

    def digest(self) -> str:
        """Hexadecimal digest of every key that changes the arrays read from a file.

        Cached files are valid for one digest.
        """
        content = self.model_dump(mode="json", exclude=set(POLICIES))
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """For each collection its name, type, and the branches of its features, as text."""
        for name, collection in self.nodes.items():
            parts = ", ".join(
                f"{feature}={'|'.join(map(str, choice))}" for feature, choice in collection.features.items()
            )
            yield name, str(collection.type), parts

    def __repr__(self) -> str:
        table = [("collection", "type", "features"), *self.rows()]
        width = max(len(row[0]) for row in table)
        lines = [f"{name:<{width}}  {kind:<4}  {parts}" for name, kind, parts in table]
        ids, weight = ", ".join(self.id_names), " * ".join(value.text for value in self.weight) or "1"
        tail = f"id {ids}; weight {weight}; {len(self.truth)} truth columns"
        return "\n".join([f"Spec {self.name}", *lines, tail])

    __str__ = __repr__


def _texts(content: Any) -> Iterator[str]:
    """Every string value in nested mappings and lists."""
    if isinstance(content, Mapping):
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from _texts(part)
    elif isinstance(content, str):
        yield content


def load_spec(path_or_name: Path | str | Mapping[str, Any], *, search_dir: Path | None = None) -> Spec:
    """Loads the spec of a YAML file, or a shipped one by its name (`events`).

    The path is searched from the current folder, then in `search_dir`, then among the shipped specs. A file may say
    `extends: NAME` and hold only what differs from that spec. Raises InputError with file, line and key of a mistake,
    or with the names of the shipped specs if there is no such file.
    """
    if isinstance(path_or_name, Mapping):
        return validate(Spec, path_or_name, origin="data spec", allow_dotted=True)
    path = find(path_or_name, "spec", search_dir)
    return load(Spec, path, allow_dotted=True, base=lambda name: find(name, "spec", path))
