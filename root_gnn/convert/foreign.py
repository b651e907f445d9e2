"""Reads YAML files of other programs as plain values, without constructing or executing anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from root_gnn.config.yaml import MAX_CHARACTERS, MAX_DEPTH
from root_gnn.errors import InputError

MAX_VALUES = 100_000  # after aliases are expanded


def read_foreign(path: Path) -> dict[str, Any]:
    """Reads the mapping of a YAML file by the rules of PyYAML's safe loader, which those programs use.

    Raises InputError if it cannot be read, is no mapping, has Python tags, or becomes too large when aliases are
    expanded.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start}); is it a YAML file?") from error
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{path}: {len(text):,} characters are too many for a configuration (at most {MAX_CHARACTERS:,})."
        )
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _count(path, node, {}, 0)
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            f"{path}:{mark.line + 1 if mark else 1}: not valid YAML: {getattr(error, 'problem', error)}."
        ) from error
    except (
        ValueError,
        OverflowError,
        RecursionError,
        TypeError,
    ) as error:  # dates and numbers out of range, lists in lists in lists
        raise InputError(f"{path}: not valid YAML: {str(error)[:200]}.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: a mapping of keys to values was expected, not {content!r:.60}.")
    return {str(key): value for key, value in content.items()}


def mapping(content: Any) -> dict[str, Any]:
    """Returns a mapping with its keys as text; an empty one for anything else."""
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def text_list(content: Any) -> list[str]:
    """Returns a list of texts: of the items of a list, of a single value, or empty for None."""
    return (
        [str(one) for one in content]
        if isinstance(content, list | tuple)
        else []
        if content is None
        else [str(content)]
    )


def _count(path: Path, node: Any, known: dict[int, int], depth: int) -> int:
    """Counts the values below a node after aliases are expanded."""
    if depth > MAX_DEPTH or known.get(id(node)) == 0:
        raise InputError(
            f"{path}: an alias stands inside of what it means, or lists are nested deeper than {MAX_DEPTH} levels."
        )
    if id(node) not in known:
        known[id(node)] = 0
        children = node.value if isinstance(node, yaml.CollectionNode) else ()
        flat = [one for child in children for one in (child if isinstance(child, tuple) else (child,))]
        known[id(node)] = 1 + sum(_count(path, child, known, depth + 1) for child in flat)
    if known[id(node)] > MAX_VALUES:
        raise InputError(
            f"{path}: more than {MAX_VALUES:,} values with all aliases written out; that is no configuration."
        )
    return known[id(node)]
