"""The branches of a file that a spec reads: alternatives are resolved, missing ones refused unless optional."""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from root_gnn.data.spec.collection import Collection
from root_gnn.data.spec.spec import KINEMATIC, Spec
from root_gnn.data.spec.value import SLOT, Value
from root_gnn.errors import InputError, suggest
from root_gnn.expressions.expression import parse

TREE = "tree"
"""The virtual branch of a source that reads several trees one after another; it numbers the trees."""


@dataclass(frozen=True)
class CollectionSelection:
    """The values one collection is read from: one for each feature, and the mask if there is one."""

    features: dict[str, Value]
    mask: Value | None


@dataclass(frozen=True, kw_only=True)
class BranchSelection:
    """The branches and values read from one file.

    Attributes:
        branches: the names of all branches that are read, each once.
        nodes: the values of each collection, by name; None for an optional collection that the file lacks.
        ids: the id columns; empty if file and entry serve as the id.
        resimulation: the value that identifies simulations of one event, or None.
        object: the value that identifies graphs of one event, or None.
        weight: the factors of the weight that the file has.
        truth: the truth columns that the file has.
        globals: the further globals that the file has.
        label: the values of the label; None if the spec has no label, or the file lacks an optional one.
        select: the condition on graphs, or None.
        records: by `<collection>_<feature>`, the collection and the feature that this name means in expressions.
    """

    branches: tuple[str, ...]
    nodes: dict[str, CollectionSelection | None]
    ids: tuple[Value, ...]
    resimulation: Value | None
    object: Value | None
    weight: tuple[Value, ...]
    truth: dict[str, Value]
    globals: dict[str, Value]
    label: tuple[Value, ...] | None
    select: Value | None
    records: dict[str, tuple[str, str]]


def select_branches(spec: Spec, known: Names[str], path: Path) -> BranchSelection:
    """Selects the branches of the file `path` that `spec` reads, out of the names `known`.

    Raises InputError naming the file, the branch and similar names where one that is not optional is missing.
    """
    file = _File(path, set(known))
    nodes = {name: file.collection(collection, f"nodes.{name}") for name, collection in spec.nodes.items()}
    records, file.ambiguous = _records(spec, nodes, file.known)
    file.records = set(records)
    ids = file.present(spec.id, f"id of the spec {spec.name}")
    label = None
    if spec.label:
        values = tuple(
            value.model_copy(update={"optional": spec.label.optional or value.optional})
            for value in spec.label.values()
        )
        present = file.present(values, f"label of the spec {spec.name}", derived=True)
        label = present if len(present) == len(values) else None
    for name in _needed(spec):
        file.demand(Value(branch=name), f"the spec {spec.name}")
    if spec.label and spec.label.trees:
        file.wanted[TREE] = None
    condition = None if spec.select is None else file.demand(spec.select, "select", derived=True)
    further = {key: getattr(spec, key) for key in ("resimulation", "object")}
    columns = {
        key: None if value is None else next(iter(file.present((value,), key)), None) for key, value in further.items()
    }
    weight = file.present(spec.weight, f"weight of the spec {spec.name}", derived=True)
    truth, globals_ = file.by_name(spec.truth, "truth"), file.by_name(spec.globals, "globals")
    if file.varied == {False}:
        raise InputError(
            f"{path}: no branch of this file has the variation that the spec {spec.name} reads; all are nominal."
        )
    return BranchSelection(
        branches=tuple(file.wanted),
        nodes=nodes,
        ids=ids if len(ids) == len(spec.id) else (),
        resimulation=columns["resimulation"],
        object=columns["object"],
        weight=weight,
        truth=truth,
        globals=globals_,
        label=label,
        select=condition,
        records=records,
    )


def _records(
    spec: Spec, nodes: dict[str, CollectionSelection | None], known: set[str]
) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """The meaning of the names `<collection>_<feature>` in expressions, and the names that have two meanings.

    A feature that the spec lists, or that follows from the momentum it lists, is that of the record. One that it does
    not list is the branch of that name. Where a listed feature is not in this file but a branch of that name is, the
    two would differ from file to file: such a name is ambiguous, and comes with its collection.
    """
    records: dict[str, tuple[str, str]] = {}
    ambiguous: dict[str, str] = {}
    for name, collection in spec.nodes.items():
        selection = nodes[name]
        present = set() if selection is None else set(selection.features)
        if selection is not None:
            present |= {"pt", "phi"}
            present |= {"eta"} if present & {"eta", "pz"} else set()
            present |= {"energy"} if present & {"energy", "mass"} else set()
        for feature in spec.stored_features:
            variable, declared = f"{name}_{feature}", feature in collection.features or feature == "energy"
            if feature in present or (variable not in known and (declared or feature in KINEMATIC)):
                records[variable] = name, feature
            elif variable in known and (declared or (selection is None and feature in KINEMATIC)):
                ambiguous[variable] = name
    return records, ambiguous


def _needed(spec: Spec) -> list[str]:
    """Branches that the spec names outside of values and cannot do without."""
    members = [
        collection.members for collection in spec.nodes.values() if collection.members and not collection.optional
    ]
    tables = [name for table in members for name in (table.row, table.item)]
    return [*([spec.graph_per] if spec.graph_per else []), *([spec.split.branch] if spec.split else []), *tables]


class _File:
    """The branches of a file and those selected so far.

    Attributes:
        path: the file, for messages.
        known: the names of its branches.
        records: the variables `<collection>_<feature>` that expressions may read.
        ambiguous: names that are both a branch and a feature that this file lacks, and the collection of each.
        wanted: the names selected so far, in order.
        varied: whether values with a systematic variation exist in their varied form (True) or the nominal one (False).
    """

    def __init__(self, path: Path, known: set[str]) -> None:
        self.path, self.known = path, known
        self.records: set[str] = set()
        self.ambiguous: dict[str, str] = {}
        self.wanted: dict[str, None] = {}
        self.varied: set[bool] = set()

    def collection(self, collection: Collection, where: str) -> CollectionSelection | None:
        """Selects the values of a collection, of alternatives the first that the file has.

        None if an optional one is missing.

        Raises InputError where a feature or the mask is missing.
        """
        slots = collection.slots
        values = {name: self._first(choices, slots) for name, choices in collection.features.items()}
        if collection.optional and not any(values.values()):
            return None
        for name, choices in collection.features.items():
            if values[name] is None and not any(value.optional for value in choices):
                raise InputError(self._missing(choices[0], f"{where}.{name}", slots=slots, n_choice=len(choices)))
        mask = None if collection.mask is None else self.demand(collection.mask, f"{where}.mask", slots=slots)
        features = {name: value for name, value in values.items() if value is not None}
        self._want(features.values(), slots)
        if collection.members:
            self._want([Value(branch=collection.members.row), Value(branch=collection.members.item)])
        return CollectionSelection(features, mask)

    def demand(self, value: Value, where: str, *, slots: tuple[str, ...] | None = None, derived: bool = False) -> Value:
        """Selects a value in the form that the file has, nominal or varied.

        Raises InputError where the file lacks it.
        """
        form = self._first((value,), slots, derived=derived)
        if form is None:
            raise InputError(self._missing(value, where, slots=slots, derived=derived))
        if derived and form.branch is None:
            self._refuse_ambiguous(form, where)
        self._want((form,), slots, derived=derived)
        return form

    def present(self, values: Iterable[Value], where: str, *, derived: bool = False) -> tuple[Value, ...]:
        """Selects values, without optional ones that the file lacks; raises InputError where another one is missing."""
        present = (value for value in values if not value.optional or self._first((value,), None, derived=derived))
        return tuple(self.demand(value, where, derived=derived) for value in present)

    def by_name(self, values: dict[str, Value], where: str) -> dict[str, Value]:
        """Selects named columns, without optional ones that the file lacks.

        Raises InputError where another one is missing.
        """
        present = {name: self.present((value,), f"{where}.{name}", derived=True) for name, value in values.items()}
        return {name: forms[0] for name, forms in present.items() if forms}

    def _first(
        self, choices: tuple[Value, ...], slots: tuple[str, ...] | None, *, derived: bool = False
    ) -> Value | None:
        for value in choices:
            for form in dict.fromkeys((value, value.fallback())):
                if self._lacks(form, slots, derived) is None:
                    self.varied |= {form.otherwise is not None} if value.is_variation else set()
                    return form
        return None

    def _lacks(self, value: Value, slots: tuple[str, ...] | None, derived: bool) -> str | None:
        """The first name of a value that the file lacks, or None; expressions may read `records` if `derived`."""
        computed = derived and value.branch is None
        return next(
            (
                name
                for name in _names(value, slots)
                if name not in self.known and not (computed and name in self.records)
            ),
            None,
        )

    def _refuse_ambiguous(self, value: Value, where: str) -> None:
        """Raises InputError where an expression reads a name that is a branch and a feature this file lacks."""
        for name in value.reads:
            if name in self.ambiguous:
                expression = parse(value.text, where=f"{self.path}: {where}")
                raise expression.error(
                    f"`{name}` is a branch of the file, and a feature of nodes.{self.ambiguous[name]} that the spec "
                    "does not read from this file; list the branch among the features of the collection, or give the "
                    "collection another name",
                    expression.columns[name],
                )

    def _want(self, values: Iterable[Value], slots: tuple[str, ...] | None = None, *, derived: bool = False) -> None:
        for value in values:
            computed = derived and value.branch is None
            self.wanted.update({name: None for name in _names(value, slots) if not (computed and name in self.records)})

    def _missing(
        self, value: Value, where: str, *, slots: tuple[str, ...] | None, derived: bool = False, n_choice: int = 1
    ) -> str:
        """The message about a missing value.

        Args:
            value: the value that the file lacks.
            where: the key of the spec that names it.
            slots: the slots of its collection, or None.
            derived: whether its expression may read `<collection>_<feature>`.
            n_choice: how many alternatives the spec lists.
        """
        branch = self._lacks(value, slots, derived) or value.text
        known = sorted(self.known | self.records) if derived and value.branch is None else sorted(self.known)
        if value.branch is None:
            form = value if slots is None or SLOT not in value.text else value.at(slots[0])
            expression = parse(form.text, where=where)
            return str(expression.unknown(branch if branch in expression.names else form.reads[0], known, self.path))
        others = f" (nor any of its {n_choice - 1} alternatives)" if n_choice > 1 else ""
        near = suggest(branch, known) if len(known) < 60 else suggest(branch, known).partition("; known are")[0]
        stop = "" if near.endswith("?") else "."
        return (
            f"{self.path}: there is no branch {branch}{others}, which {where} reads{near}{stop} Correct the data spec, "
            "or mark the value `optional: true` if files may lack it."
        )


def _names(value: Value, slots: tuple[str, ...] | None) -> Iterable[str]:
    if slots is None or SLOT not in value.text:
        return value.reads
    return (name for slot in slots for name in value.at(slot).reads)
