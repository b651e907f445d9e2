"""Which branches of a file answer a spec: alternatives chosen, optional ones left out, the rest demanded."""

from __future__ import annotations

from collections.abc import Collection as Names
from dataclasses import dataclass
from pathlib import Path

from root_gnn.data.spec import Collection, Spec, Value
from root_gnn.errors import InputError, suggest

Choices = tuple[Value, ...]


@dataclass(frozen=True)
class Selection:
    """What is read from one file.

    Attributes:
        nodes: by collection, the value each feature is read from; None for an optional collection the file lacks.
        ids: the id columns; empty where entries are told apart by file and entry.
        resimulation: None where the file (or the spec) has none.
        weight: the factors the file has.
        truth: the truth columns the file has.
        label: the branch of the class, None where the spec has none.
    """

    nodes: dict[str, dict[str, Value] | None]
    ids: tuple[Value, ...]
    resimulation: Value | None
    weight: tuple[Value, ...]
    truth: dict[str, Value]
    label: str | None

    @property
    def branches(self) -> tuple[str, ...]:
        """Every branch that has to be read, each once."""
        values = [value for features in self.nodes.values() if features for value in features.values()]
        values += [*self.ids, *self.weight, *self.truth.values(), *([self.resimulation] if self.resimulation else [])]
        names = [value.branch for value in values] + ([self.label] if self.label else [])
        return tuple(dict.fromkeys(names))


def select(spec: Spec, known: Names[str], path: Path) -> Selection:
    """The branches of `path` (which has the branches `known`) that `spec` reads.

    Raises InputError naming the file, the branch and near names where one that is not optional is missing.
    """
    known = set(known)
    ids = tuple(value for value in spec.id if _has(value, known, path, f"id of the spec {spec.name}"))
    if len(ids) != len(spec.id):
        ids = ()
    resimulation = spec.resimulation
    if resimulation and not _has(resimulation, known, path, "resimulation"):
        resimulation = None
    label = spec.label.branch if spec.label else None
    if label is not None and label not in known:
        raise InputError(_missing(path, label, known, f"label of the spec {spec.name}"))
    return Selection(
        nodes={name: _collection(collection, known, path, f"nodes.{name}") for name, collection in spec.nodes.items()},
        ids=ids,
        resimulation=resimulation,
        weight=tuple(value for value in spec.weight if _has(value, known, path, f"weight of the spec {spec.name}")),
        truth={name: value for name, value in spec.truth.items() if _has(value, known, path, f"truth.{name}")},
        label=label,
    )


def _collection(collection: Collection, known: set[str], path: Path, where: str) -> dict[str, Value] | None:
    found = {name: _first(choices, known) for name, choices in collection.features.items()}
    if collection.optional and not any(found.values()):
        return None
    for name, choices in collection.features.items():
        if found[name] is None and not any(value.optional for value in choices):
            raise InputError(_missing(path, choices[0].branch, known, f"{where}.{name}", len(choices)))
    return {name: value for name, value in found.items() if value is not None}


def _first(choices: Choices, known: set[str]) -> Value | None:
    return next((value for value in choices if value.branch in known), None)


def _has(value: Value, known: set[str], path: Path, where: str) -> bool:
    if value.branch in known:
        return True
    if value.optional:
        return False
    raise InputError(_missing(path, value.branch, known, where))


def _missing(path: Path, branch: str, known: set[str], where: str, n_choice: int = 1) -> str:
    others = f" (nor any of its {n_choice - 1} alternatives)" if n_choice > 1 else ""
    near = suggest(branch, sorted(known)) if len(known) < 60 else suggest(branch, sorted(known)).partition("; known are")[0]
    return (
        f"{path}: there is no branch {branch}{others}, wanted by {where}{near}. "
        f"Correct the data spec, or mark the value `optional: true` if files may lack it."
    )
