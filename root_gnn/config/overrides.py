"""`--set dotted.key=value`: changes to a parsed file, before it is checked."""

from __future__ import annotations

from typing import Any

from root_gnn.config.yaml import Document, KeyPath, dotted_key, parse_value
from root_gnn.errors import InputError


def apply_override(document: Document, override: str) -> None:
    """Puts the value of `dotted.key=value` into the document and names the override as the place of what it wrote.

    The value follows the same rules as the file (`1e-4`, `[a, b]`, `null`). A key may be absent, list items go by
    number, and a bare plug-in word on the way becomes `{name: word}`. Raises `InputError` where the path cannot exist.
    """
    key, equals, text = override.partition("=")
    path: KeyPath = tuple(key.strip().split("."))
    place = f"--set {key.strip()}={text.strip()}"
    if not equals or not all(path):
        raise InputError(f"--set {override}: expected dotted.key=value, as in --set optim.lr=1e-3.")
    value = parse_value(text, place)
    parent, path = _parent(document, path, place)
    document.places = {known: where for known, where in document.places.items() if known[: len(path)] != path}
    document.places[path] = place
    parent[path[-1]] = value


def _parent(document: Document, keys: KeyPath, place: str) -> tuple[Any, KeyPath]:
    """The mapping or list that holds the last key, made where it is absent, and the path with list positions as numbers."""
    path: KeyPath = ()
    holder: Any = document.value
    for key in keys:
        step: Any = _position(holder, key, path, place) if isinstance(holder, list) else key
        path = (*path, step)
        if len(path) == len(keys):
            break
        below = holder[step] if isinstance(holder, list) else holder.get(step)
        if below is None:
            below = {}
            document.places[path] = place
        elif isinstance(below, str):
            below = {"name": below}
        elif not isinstance(below, dict | list):
            raise InputError(f"{place}: {dotted_key(path)} is {below!r}, which has no keys.")
        holder[step] = below
        holder = below
    return holder, path


def _position(items: list[Any], key: str | int, path: KeyPath, place: str) -> int:
    if not str(key).isdecimal() or int(key) >= len(items):
        raise InputError(
            f"{place}: {dotted_key(path)} is a list of {len(items)}; give a position from 0 to {len(items) - 1}, not {key}."
        )
    return int(key)
