"""What was noticed while a file was read: how much, of what kind, and what was left out for which reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Findings:
    """Counts over the pieces of one file.

    Attributes:
        n_entry: entries read.
        n_graph: graphs kept.
        sum_of_weights: of all entries read, dropped ones included.
        dropped: graphs left out, by reason.
        filled: numbers replaced by the spec's `fill`, by branch.
    """

    n_entry: int = 0
    n_graph: int = 0
    sum_of_weights: float = 0.0
    dropped: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)

    def as_mapping(self) -> dict[str, Any]:
        """Plain values, for a shard's manifest."""
        return asdict(self)
