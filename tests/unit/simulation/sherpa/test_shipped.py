"""The shipped files of hard events."""

from __future__ import annotations

import gzip

import pytest

from root_gnn.simulation.lhe import count_events
from root_gnn.simulation.process import all_processes, find_process
from root_gnn.simulation.sherpa.files import cross_section, made_by
from root_gnn.simulation.sherpa.shipped import ENDING, EVENTS, shipped_file

NAMES = [process.name for process in all_processes() if process.card is not None]


@pytest.mark.parametrize("name", NAMES)
def test_shipped_files(name: str) -> None:
    path = shipped_file(name)
    assert count_events(path) >= 3000
    assert path.stat().st_size < 1e6
    assert made_by(path).startswith("Sherpa 3.0")
    section = cross_section(path)
    assert 0.0 < section.error < 0.02 * section.value
    with gzip.open(path, "rt") as lines:
        text = "".join(line for line, _ in zip(lines, range(60), strict=False))
    card = find_process(name).card
    assert card is not None and all(f"- {reaction}:" in text for reaction, _, _ in card.reactions)


def test_each_process_of_sherpa_has_a_file_and_no_other_does() -> None:
    assert {path.name.removesuffix(ENDING) for path in EVENTS.glob(f"*{ENDING}")} == set(NAMES)
