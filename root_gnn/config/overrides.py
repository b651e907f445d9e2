"""The option `--set dotted.key=value`, which changes a parsed file before it is checked."""

from __future__ import annotations

from typing import Any

from root_gnn.config.yaml import Document, KeyPath, dotted_key, parse_value
from root_gnn.errors import InputError


def apply_override(document: Document, override: str) -> None:
    """Writes the value of `dotted.key=value` into the document, with the override as its location in messages.

    The value follows the rules of the file (`1e-4`, `[a, b]`, `null`). A key may be absent, list items are addressed by
    index, and a bare plug-in name on the way becomes `{name: ...}`. Raises `InputError` where the path cannot exist.
    """
    key, equals, text = override.partition("=")
    path: KeyPath = tuple(key.strip().split("."))
    location = f"--set {key.strip()}={text.strip()}"
    if not equals or not all(path):
        raise InputError(f"--set {override}: expected dotted.key=value, as in --set optim.lr=1e-3.")
    value = parse_value(text, location)
    parent, path = _parent(document, path, location)
    document.locations = {known: where for known, where in document.locations.items() if known[: len(path)] != path}
    document.locations[path] = location
    parent[path[-1]] = value


def _parent(document: Document, keys: KeyPath, location: str) -> tuple[Any, KeyPath]:
    """The mapping or list that holds the last key, created if absent, and the path with list indices as integers."""
    path: KeyPath = ()
    holder: Any = document.value
    for key in keys:
        step: Any = _index(holder, key, path, location) if isinstance(holder, list) else key
        path = (*path, step)
        if len(path) == len(keys):
            break
        below = holder[step] if isinstance(holder, list) else holder.get(step)
        if below is None:
            below = {}
            document.locations[path] = location
        elif isinstance(below, str):
            below = {"name": below}
        elif not isinstance(below, dict | list):
            raise InputError(f"{location}: {dotted_key(path)} is {below!r}, which has no keys.")
        holder[step] = below
        holder = below
    return holder, path


def _index(items: list[Any], key: str | int, path: KeyPath, location: str) -> int:
    if not str(key).isdecimal() or int(key) >= len(items):
        raise InputError(
            f"{location}: {dotted_key(path)} is a list of {len(items)}; give an index from 0 to {len(items) - 1}, not "
            f"{key}."
        )
    return int(key)
