"""Hard events shipped with the library, made by `tools/hard_events.py`."""

from __future__ import annotations

from pathlib import Path

EVENTS = Path(__file__).with_name("events")
ENERGY = 13000.0  # of the collisions, GeV
ENDING = ".lhe.gz"


def shipped_file(process: str) -> Path:
    """The shipped file of a process, which must be one that Sherpa makes."""
    return EVENTS / f"{process}{ENDING}"
