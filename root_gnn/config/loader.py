"""Loads YAML files into typed sections; one error lists every mistake in a file, with file, line and key."""

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
    """Loads a YAML file as a section.

    Args:
        cls: the class of the section.
        path: the file.
        overrides: `dotted.key=value` texts that replace values of the file and are checked like it.
        allow_dotted: whether plug-ins may have dotted names, modules of the user's own that run when imported.
        allow_plugins: dotted names that are allowed in any case.
        base: finds a file by name for `extends: NAME`; the file then holds only what differs from that one, and null
            removes a key.

    Raises one `InputError` with a line `file:line: key: reason` for each unknown, missing, duplicate or ill-typed key.
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
    """Checks a mapping of plain values as `load` checks a file.

    Args:
        cls: the class of the section.
        mapping: the values by key.
        origin: the beginning of messages.
        allow_dotted: whether plug-ins may have dotted names, modules of the user's own that run when imported.
        allow_plugins: dotted names that are allowed in any case.

    Raises `InputError` as `load` does.
    """
    return _validate(cls, Document(dict(mapping), origin), Allowed(allow_dotted, allow_plugins))


def to_mapping(section: Section) -> dict[str, Any]:
    """The plain values of a section (lists for tuples, `{name: ...}` for plug-ins), which `validate` restores."""
    return section.model_dump(mode="json")


def to_yaml(section: Section) -> str:
    """The YAML text of a section, which `load` restores."""
    return dump_yaml(to_mapping(section))


def leaves(value: Any, key: str = "") -> dict[str, Any]:
    """The values of nested mappings, by dotted key."""
    if not isinstance(value, dict) or not value:
        return {key: value}
    parts = [leaves(part, f"{key}.{name}" if key else str(name)) for name, part in value.items()]
    return {name: leaf for part in parts for name, leaf in part.items()}


def _extended(path: Path, base: Callable[[str], Path], above: tuple[Path, ...] = ()) -> Document:
    """A document merged with the one it extends; raises InputError where files extend one another in a circle."""
    document = read_document(path)
    if not isinstance(document.value, dict) or not isinstance(document.value.get(EXTENDS), str):
        return document
    location = document.location((EXTENDS,))
    if path.resolve() in above:
        raise InputError(f"{location}: {EXTENDS}: {document.value[EXTENDS]} extends this file in turn")
    below = _extended(base(document.value.pop(EXTENDS)), base, (*above, path.resolve()))
    return replace(
        document, value=_over(below.value, document.value), locations={**below.locations, **document.locations}
    )


def _merged(below: Any, above: Any) -> Any:
    """Merges `above` into `below`, mapping by mapping.

    A plug-in with another name, and everything that is no mapping, replaces the value below.
    """
    if (
        not isinstance(below, dict)
        or not isinstance(above, dict)
        or above.get("name", below.get("name")) != below.get("name")
    ):
        return above
    return _over(below, above)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Merges two mappings; null above removes the key below, and stays (to be checked) if there is none."""
    merged = {**below, **above, **{key: _merged(below[key], above[key]) for key in below if key in above}}
    return {key: value for key, value in merged.items() if value is not None or key not in below or key not in above}


def _validate(cls: type[S], document: Document, allowed: Allowed) -> S:
    try:
        return cls.model_validate(document.value, context=allowed)
    except ValidationError as error:
        raise InputError(_describe(cls, document, allowed, error.errors(include_url=False))) from error


def _describe(cls: type[Section], document: Document, allowed: Allowed, errors: list[ErrorDetails]) -> str:
    """One line for each wrong key: location, key, reason and similar keys."""
    by_path: dict[KeyPath, list[ErrorDetails]] = {}
    for error in errors:
        by_path.setdefault(_key_path(error, document.value), []).append(error)
    lines = []
    for path, alternatives in by_path.items():
        first = alternatives[0]
        near = _near_keys(cls, document.value, path, allowed) if first["type"] == "extra_forbidden" else ""
        location = document.location((*path, "name") if first["type"] == "plugin" else path)
        key = "" if not path or location.startswith(f"--set {dotted_key(path)}=") else f"{dotted_key(path)}: "
        lines.append(f"{location}: {key}{_reason(alternatives)}{near}")
    return "\n".join(lines)


def _key_path(error: ErrorDetails, value: Any) -> KeyPath:
    """The keys of an error's location that exist in the file, without the names of union members that pydantic adds."""
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
    """The reason why a value was refused; `alternatives` are the errors for the members of a union."""
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
    """`; did you mean X?` from the keys of the section around `path`."""
    section = _section_at(cls, value, path[:-1], allowed)
    return suggest(str(path[-1]), list(section.model_fields)) if section else ""


def _section_at(annotation: Any, value: Any, path: KeyPath, allowed: Allowed) -> type[Section] | None:
    """The section class that checks the value at `path`, found along the annotations from the top."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        family = next((mark for mark in arguments[1:] if isinstance(mark, Family)), None)
        inner = config_class(family.name, value, allowed) if family else arguments[0]
        return _section_at(inner, value, path, allowed)
    if origin in (typing.Union, types.UnionType):
        sections = (_section_at(argument, value, path, allowed) for argument in arguments)
        return next((section for section in sections if section), None)
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
