"""YAML files to typed sections; every mistake in a file is told at once, by file, line and key."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from root_gnn.config.overrides import apply_override
from root_gnn.config.plugins import Allowed, Family, config_class
from root_gnn.config.section import Section
from root_gnn.config.yaml import Document, KeyPath, dotted_key, dump_yaml, read_document
from root_gnn.errors import InputError, suggest

S = TypeVar("S", bound=Section)

EXTENDS = "extends"
WORDS = {"missing": "missing", "extra_forbidden": "unknown key"}
WANTED = {
    "int_type": "should be a whole number",
    "tuple_type": "should be a list",
    "dict_type": "should be a mapping of keys to values",
    "model_type": "should be a mapping of keys to values",
    "path_type": "should be a path",
}


def load(
    cls: type[S],
    path: Path,
    overrides: Sequence[str] = (),
    *,
    allow_dotted: bool = False,
    allow_plugins: Collection[str] = (),
    base: Callable[[str], Path] | None = None,
) -> S:
    """Reads a YAML file into `cls`, with `dotted.key=value` overrides checked exactly like the file.

    Where `base` finds files by name, a file may say `extends: NAME`: it then holds only what differs from that file; null
    takes a key of that file away.

    Dotted plug-in names (the user's own modules, which run when imported) are followed where `allow_dotted` says so
    (files the caller passed) or the name is among `allow_plugins` (run folders). Raises one `InputError` with a line
    `file:line: key: reason` for each unknown, missing, duplicate or ill-typed key.
    """
    document = read_document(path) if base is None else _extended(path, base)
    for override in overrides:
        apply_override(document, override)
    return _validate(cls, document, Allowed(allow_dotted, allow_plugins))


def validate(
    cls: type[S],
    mapping: Mapping[str, Any],
    *,
    origin: str = "mapping",
    allow_dotted: bool = False,
    allow_plugins: Collection[str] = (),
) -> S:
    """Checks a mapping of plain values as `load` checks a file; errors begin with `origin`."""
    return _validate(cls, Document(dict(mapping), origin), Allowed(allow_dotted, allow_plugins))


def to_mapping(section: Section) -> dict[str, Any]:
    """Plain values of a section (lists for tuples, plug-ins as `{name: ..., **keys}`), which `validate` takes back unchanged."""
    return section.model_dump(mode="json")


def to_yaml(section: Section) -> str:
    """YAML text of a section, which `load` takes back unchanged."""
    return dump_yaml(to_mapping(section))


def leaves(value: Any, key: str = "") -> dict[str, Any]:
    """The values of a mapping of mappings, by dotted key."""
    if not isinstance(value, dict) or not value:
        return {key: value}
    parts = [leaves(part, f"{key}.{name}" if key else str(name)) for name, part in value.items()]
    return {name: leaf for part in parts for name, leaf in part.items()}


def _extended(path: Path, base: Callable[[str], Path], above: tuple[Path, ...] = ()) -> Document:
    """A document with what it extends below it; raises InputError where files extend one another in a circle."""
    document = read_document(path)
    if not isinstance(document.value, dict) or not isinstance(document.value.get(EXTENDS), str):
        return document
    place = document.place((EXTENDS,))
    if path.resolve() in above:
        raise InputError(f"{place}: {EXTENDS}: {document.value[EXTENDS]} extends this file in its turn")
    below = _extended(base(document.value.pop(EXTENDS)), base, (*above, path.resolve()))
    return replace(document, value=_over(below.value, document.value), places={**below.places, **document.places})


def _merged(below: Any, above: Any) -> Any:
    """`above` over `below`, mapping by mapping; a plug-in of another name, and everything that is no mapping, replaces."""
    if (
        not isinstance(below, dict)
        or not isinstance(above, dict)
        or above.get("name", below.get("name")) != below.get("name")
    ):
        return above
    return _over(below, above)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both mappings in one; null above takes the key below away, and stays (to be checked) where there is none."""
    merged = {**below, **above, **{key: _merged(below[key], above[key]) for key in below if key in above}}
    return {key: value for key, value in merged.items() if value is not None or key not in below or key not in above}


def _validate(cls: type[S], document: Document, allowed: Allowed) -> S:
    try:
        return cls.model_validate(document.value, context=allowed)
    except ValidationError as error:
        raise InputError(_describe(cls, document, allowed, error.errors(include_url=False))) from error


def _describe(cls: type[Section], document: Document, allowed: Allowed, errors: list[ErrorDetails]) -> str:
    """One line for each key in error."""
    by_path: dict[KeyPath, list[ErrorDetails]] = {}
    for error in errors:
        by_path.setdefault(_key_path(error, document.value), []).append(error)
    lines = []
    for path, alternatives in by_path.items():
        first = alternatives[0]
        near = _near_keys(cls, document.value, path, allowed) if first["type"] == "extra_forbidden" else ""
        place = document.place((*path, "name") if first["type"] == "plugin" else path)
        key = "" if not path or place.startswith(f"--set {dotted_key(path)}=") else f"{dotted_key(path)}: "
        lines.append(f"{place}: {key}{_reason(alternatives)}{near}")
    return "\n".join(lines)


def _key_path(error: ErrorDetails, value: Any) -> KeyPath:
    """The keys of an error's location that exist in the file; pydantic adds names of union members, which say nothing to a user."""
    path: list[str | int] = []
    for part in error["loc"]:
        in_mapping = isinstance(value, Mapping) and part in value
        in_list = isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)
        if in_mapping or in_list:
            value = value[part]
            path.append(part)
    if error["type"] == "missing":
        path.append(error["loc"][-1])
    return tuple(path)


def _reason(alternatives: list[ErrorDetails]) -> str:
    """Why a value was refused, in a user's words; the members of a union are the alternatives."""
    kind, value = alternatives[0]["type"], alternatives[0]["input"]
    if kind in WORDS:
        return WORDS[kind]
    if kind in ("plugin", "value_error", "assertion_error"):
        return alternatives[0]["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    first, *others = dict.fromkeys(_wanted(error) for error in alternatives)
    wanted = " or ".join([first, *(other.removeprefix("should be ") for other in others)])
    got = "nothing (null)" if value is None else str(value).lower() if isinstance(value, bool) else f"{value!r:.80}"
    hint = f"; write {value:.0f}" if kind == "int_type" and isinstance(value, float) and value.is_integer() else ""
    return f"{wanted}, not {got}{hint}"


def _wanted(error: ErrorDetails) -> str:
    if error["type"] in WANTED:
        return WANTED[error["type"]]
    return error["msg"].removeprefix("Input ").replace("should be a valid ", "should be a ")


def _near_keys(cls: type[Section], value: Any, path: KeyPath, allowed: Allowed) -> str:
    """`; did you mean X?` from the keys that the section around `path` knows."""
    section = _section_at(cls, value, path[:-1], allowed)
    return suggest(str(path[-1]), list(section.model_fields)) if section else ""


def _section_at(annotation: Any, value: Any, path: KeyPath, allowed: Allowed) -> type[Section] | None:
    """The section class that the value at `path` was checked against, following the annotations from the top."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        family = next((mark for mark in arguments[1:] if isinstance(mark, Family)), None)
        inner = config_class(family.name, value, allowed) if family else arguments[0]
        return _section_at(inner, value, path, allowed)
    if origin in (typing.Union, types.UnionType):
        found = (_section_at(argument, value, path, allowed) for argument in arguments)
        return next((section for section in found if section), None)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return _section_below(annotation, value, path, allowed)
    if origin in (tuple, list) and path:
        position = path[0] if origin is tuple and arguments[-1] is not ... else 0
        return _section_at(arguments[int(position)], value[path[0]], path[1:], allowed)
    if origin is dict and path:
        return _section_at(arguments[1], value[path[0]], path[1:], allowed)
    return None


def _section_below(section: type[Section], value: Any, path: KeyPath, allowed: Allowed) -> type[Section] | None:
    if not path:
        return section
    field = section.model_fields.get(str(path[0]))
    if field is None:
        return None
    annotation = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return _section_at(annotation, value[path[0]], path[1:], allowed)
