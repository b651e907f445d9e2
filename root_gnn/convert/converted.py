"""The result of a conversion: files, and notes on what was lost or differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Notes:
    """Notes on a conversion.

    Attributes:
        lost: keys of the other program that could not be translated, each with the reason.
        different: what was translated but works differently here.
    """

    lost: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    def lose(self, key: str, reason: object) -> None:
        """Notes that a key was not translated."""
        self.lost.append(f"{key}: {reason}")

    def head(self, source: str) -> list[str]:
        """Returns the notes as paragraphs for the head of a file."""
        lines = [f"Made from {source} by `root-gnn convert`. Units are taken as GeV and radians: check them."]
        lines += [f"Not translated: {'; '.join(self.lost)}."] if self.lost else []
        return lines + ([f"Different here: {'; '.join(self.different)}."] if self.different else [])


@dataclass(frozen=True)
class Converted:
    """The text of each written file, by path, and the notes."""

    files: Mapping[Path, str]
    notes: Notes

    def __str__(self) -> str:
        lines = [f"wrote {path}" for path in self.files]
        for title, notes in (("Not translated", self.notes.lost), ("Different here", self.notes.different)):
            lines += [f"\n{title}:", *(f"- {note}" for note in notes)] if notes else []
        return "\n".join(lines)
