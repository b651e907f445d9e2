"""The common prefix of names of branches."""

from __future__ import annotations

from collections.abc import Sequence


def prefix_of(names: Sequence[str]) -> str:
    """Returns the common prefix up to an underscore: `label_` of `label_QCD` and `label_Hbb`; empty for one name."""
    if len(names) < 2:
        return ""
    first = names[0]
    ends = [place + 1 for place, sign in enumerate(first) if sign == "_"]
    return next((first[:end] for end in reversed(ends) if all(name.startswith(first[:end]) for name in names)), "")
