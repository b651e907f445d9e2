"""Published settings by name, which explicit keys of a recipe override, section by section."""

from __future__ import annotations

from typing import Any


def with_preset(paper: dict[str, Any], section: Any) -> Any:
    """The keys of an objective's section, over those of `paper` if it says `preset: paper`; otherwise unchanged."""
    if not isinstance(section, dict) or section.get("preset") != "paper":
        return section
    result = {**paper, **section}
    for key, part in paper.items():
        if isinstance(part, dict) and isinstance(section.get(key), dict):
            result[key] = {**part, **section[key]}
    return result
