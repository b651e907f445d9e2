"""Names of branches that belong together."""

from __future__ import annotations

from collections.abc import Sequence


def prefix_of(names: Sequence[str]) -> str:
    """What all names begin with, up to an underscore: `label_` of `label_QCD` and `label_Hbb`; nothing of a single name."""
    if len(names) < 2:
        return ""
    first = names[0]
    ends = [place + 1 for place, sign in enumerate(first) if sign == "_"]
    return next((first[:end] for end in reversed(ends) if all(name.startswith(first[:end]) for name in names)), "")
