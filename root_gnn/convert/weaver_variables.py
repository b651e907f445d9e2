"""Inputs of weaver-core with their standardisation: centre, scale and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from root_gnn.convert.converted import Notes
from root_gnn.convert.foreign import mapping
from root_gnn.errors import InputError

CLIP = (-5.0, 5.0)
"""Limits of standardised values that weaver uses by default."""


@dataclass(frozen=True)
class Variable:
    """An input of weaver: value -> clip((value - centre) * scale).

    Attributes:
        name: name of the branch or formula.
        centre: value that is subtracted, or "auto"; None if nothing is.
        scale: factor after the subtraction.
        limits: where the untransformed value is clipped; None if it is not.
    """

    name: str
    centre: float | str | None
    scale: float
    limits: tuple[float, float] | None


class WeaverParameters:
    """The section `preprocess` of a configuration."""

    def __init__(self, preprocess: Mapping[str, Any], notes: Notes) -> None:
        """Takes the section, and the notes for parameters that cannot be translated."""
        self._params = mapping(preprocess.get("params"))
        self._is_automatic = str(preprocess.get("method", "manual")).lower().startswith("auto")
        self._notes = notes

    def variables(self, group: Mapping[str, Any]) -> list[Variable]:
        """Returns the variables of a group, with parameters from their row or from `preprocess.params`.

        Raises InputError for a parameter that is no number.
        """
        rows = group.get("vars")
        return [
            self._variable(row if isinstance(row, list) else [row])
            for row in (rows if isinstance(rows, list) else [])
            if row
        ]

    def _variable(self, row: Sequence[Any]) -> Variable:
        name = str(row[0])
        params = mapping(self._params.get(name))
        centre = params.get("center", row[1] if len(row) > 1 else "auto" if self._is_automatic else None)
        of_row = {
            "scale": row[2] if len(row) > 2 else 1.0,
            "min": row[3] if len(row) > 3 else CLIP[0],
            "max": row[4] if len(row) > 4 else CLIP[1],
        }
        scale, low, high = (_number(params.get(key, value), f"inputs, {name}, {key}") for key, value in of_row.items())
        if centre is None or (low, high) == CLIP:
            return Variable(name, centre, scale, None)
        if not isinstance(centre, int | float) or scale <= 0:
            self._notes.lose(
                f"inputs, {name}",
                f"cut between {low:g} and {high:g} after a scale that no number gives; nothing is cut here",
            )
            return Variable(name, centre, scale, None)
        return Variable(name, centre, scale, (float(centre) + low / scale, float(centre) + high / scale))


def _number(value: Any, key: str) -> float:
    """Converts a YAML value to a number; raises InputError if it is none."""
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{key}: a number was expected, not {value!r:.60}") from error
