"""Parses YAML text into plain values with their locations; nothing in the text is ever run or constructed.

The subset is small on purpose: one document, a mapping at the top, no anchors, aliases, tags or tabs, no key twice.
Plain scalars follow YAML 1.2: `1e-4` and `.5` are floats, `010` is ten, `no`, `on` and `12:30` are strings. Keys are
strings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from root_gnn.errors import InputError

KeyPath = tuple[str | int, ...]

MAX_DEPTH = 32
MAX_CHARACTERS = 1_000_000
MAX_DIGITS = 100
CONSTANTS: dict[str, Any] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    ".inf": math.inf,
    "+.inf": math.inf,
    "-.inf": -math.inf,
}
INTEGER = re.compile(r"[-+]?[0-9]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass
class Document:
    """A parsed mapping.

    Attributes:
        value: the mapping.
        origin: the location of the whole, `file:1`.
        locations: the location (`file:line`) of every key path in it.
    """

    value: dict[str, Any]
    origin: str
    locations: dict[KeyPath, str] = field(default_factory=dict)

    def location(self, path: KeyPath) -> str:
        """The location of `path`, or of the nearest enclosing key if the path itself was not written."""
        while path and path not in self.locations:
            path = path[:-1]
        return self.locations.get(path, self.origin)


def dotted_key(path: KeyPath) -> str:
    """`a.0.b` for `("a", 0, "b")`."""
    return ".".join(str(part) for part in path)


def parse_scalar(text: str) -> Any:
    """The value of an unquoted scalar by YAML 1.2; raises ValueError for a number that is too long or too large."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if not FLOAT.fullmatch(text):
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    if INTEGER.fullmatch(text):
        return int(text)
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is larger than a float can be; write .inf for infinity")
    return number


def read_document(path: Path) -> Document:
    """Parses a YAML file; raises `InputError` with file and line for anything outside the subset."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start}); is it a YAML file?") from error
    return parse_document(text, str(path))


def parse_document(text: str, name: str) -> Document:
    """Parses YAML text whose locations are `name:line`; raises `InputError` as `read_document` does."""
    builder = _Builder(name)
    value = builder.build(text)
    if value is None:
        value = {}
    if not isinstance(value, dict):
        builder.refuse(1, (), f"a mapping of keys to values was expected, not {value!r:.60}")
    return Document(value, f"{name}:1", builder.locations)


def parse_value(text: str, name: str) -> Any:
    """Parses one value (scalar, list or mapping) by the same rules; errors begin with `name`."""
    return _Builder(name, numbered=False).build(text)


class _Builder:
    """Builds plain values from the events of PyYAML's parser, and records the location of each key."""

    def __init__(self, name: str, numbered: bool = True) -> None:
        self.name, self.numbered = name, numbered
        self.locations: dict[KeyPath, str] = {}
        self.events: Iterator[Any] = iter(())

    def where(self, line: int) -> str:
        """The location of a line."""
        return f"{self.name}:{line}" if self.numbered else self.name

    def refuse(self, line: int, path: KeyPath, reason: str) -> NoReturn:
        """Raises InputError with location, key and reason."""
        key = f"{dotted_key(path)}: " if path else ""
        raise InputError(f"{self.where(line)}: {key}{reason}.")

    def build(self, text: str) -> Any:
        """The value of the text; raises InputError for anything outside the subset."""
        if len(text) > MAX_CHARACTERS:
            self.refuse(
                1, (), f"{len(text):,} characters are too many for a configuration (at most {MAX_CHARACTERS:,})"
            )
        before, tab, _ = text.partition("\t")
        if tab:
            self.refuse(before.count("\n") + 1, (), "a tab; indent with spaces, and write \\t inside double quotes")
        try:
            self.events = iter(yaml.parse(text, Loader=yaml.SafeLoader))
            return self.document()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "is not YAML"
            raise InputError(f"{self.where(mark.line + 1 if mark else 1)}: not valid YAML: {reason}.") from error
        except (ValueError, OverflowError) as error:  # PyYAML's own, on escapes and directives out of range
            raise InputError(f"{self.where(1)}: not valid YAML: {error}.") from error

    def document(self) -> Any:
        """The value of the one document."""
        value: Any = None
        n_document = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                n_document += 1
                if n_document > 1:
                    self.refuse(event.start_mark.line + 1, (), "a second document starts here; a file holds one")
                value = self.node(next(self.events), ())
        return value

    def node(self, event: Any, path: KeyPath) -> Any:
        """The value that begins with an event."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self.refuse(
                line, path, "anchors (&) and aliases (*) are not allowed; write the value out, or quote the text"
            )
        if event.tag is not None:
            self.refuse(line, path, "tags (!) are not allowed; quote the text if you mean it literally")
        if len(path) > MAX_DEPTH:
            self.refuse(line, (), f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path)
        if not event.implicit[0]:
            return event.value
        try:
            return parse_scalar(event.value)
        except ValueError as error:
            self.refuse(line, path, str(error))

    def mapping(self, path: KeyPath) -> dict[str, Any]:
        """The keys and values up to the end of a mapping."""
        result: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag or not event.value:
                self.refuse(line, path, "a key must be plain text")
            key = (*path, event.value)
            if event.value in result:
                self.refuse(line, key, f"this key occurs twice, first at {self.locations[key]}")
            self.locations[key] = self.where(line)
            result[event.value] = self.node(next(self.events), key)
        return result

    def sequence(self, path: KeyPath) -> list[Any]:
        """The items up to the end of a list."""
        result: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            item = (*path, len(result))
            self.locations[item] = self.where(event.start_mark.line + 1)
            result.append(self.node(event, item))
        return result


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """Writes what `parse_document` restores: no aliases, and quotes around strings that would become another type."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 PyYAML calls it with an argument
        """True: values that occur twice are written twice."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        plain = isinstance(parse_scalar(text), str)
    except ValueError:
        plain = False
    style = '"' if not text.isprintable() else None if plain else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def dump_yaml(mapping: dict[str, Any]) -> str:
    """The YAML text of plain values, which `parse_document` restores."""
    text: str = yaml.dump(mapping, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf)
    return text


def dump_flow(value: Any) -> str:
    """A value as YAML on one line, `{a: 1, b: [x, y]}`, which `parse_document` restores."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return text.removesuffix("\n").removesuffix("\n...")
