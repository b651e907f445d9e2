"""Published settings by name: what a recipe gives counts more, section by section."""

from __future__ import annotations

from typing import Any


def with_preset(paper: dict[str, Any], given: Any) -> Any:
    """The keys of an objective's section, over those of `paper` where it says `preset: paper`; anything else as it is."""
    if not isinstance(given, dict) or given.get("preset") != "paper":
        return given
    result = {**paper, **given}
    for key, part in paper.items():
        if isinstance(part, dict) and isinstance(given.get(key), dict):
            result[key] = {**part, **given[key]}
    return result
