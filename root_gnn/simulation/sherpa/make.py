"""Files of hard events, each made by one run of Sherpa; `tools/hard_events.py` makes the shipped ones."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from root_gnn.errors import InputError
from root_gnn.simulation.sherpa.cards import Card
from root_gnn.simulation.sherpa.colours import draw_colours
from root_gnn.simulation.sherpa.files import read_events, write_events
from root_gnn.simulation.sherpa.program import run

SEEDS = 2**31 - 1
_NAME = "events"


@dataclass(frozen=True)
class Wanted:
    """A file to make: `events` hard events of a process by its number, at an energy in GeV."""

    path: Path
    program: Path
    card: Card
    process_id: int
    events: int
    seed: int
    ecm: float

    @property
    def text(self) -> str:
        """The run card."""
        return self.card.text(events=self.events, seed=self.seeds()[0], ecm=self.ecm, name=_NAME)

    def seeds(self) -> tuple[int, int]:
        """Seeds of Sherpa and of the colours, different for every process and seed."""
        one, two = np.random.SeedSequence([self.seed, self.process_id, 3]).generate_state(2, np.uint64)
        return 1 + int(one) % SEEDS, int(two)


def make(wanted: Wanted) -> Path:
    """Runs Sherpa in a folder of its own, writes the file and returns its path; the same seed gives the same events.

    Raises InputError where Sherpa fails or writes another number of events.
    """
    with tempfile.TemporaryDirectory(prefix="sherpa-") as name:
        folder = Path(name)
        sections = run(wanted.program, wanted.text, folder)
        events = read_events(folder / f"{_NAME}.lhe")
    if len(sections) != len(wanted.card.reactions) or len(events) != wanted.events:
        raise InputError(
            f"{wanted.program}: expected {wanted.events:,} events and the cross sections of "
            f"{len(wanted.card.reactions)} reactions, but Sherpa gave {len(events):,} and {len(sections)}; this "
            "version may not be one that the run cards are for (3.0)"
        )
    colours = draw_colours(events.pdg, events.momenta, wanted.card.apart, np.random.default_rng(wanted.seeds()[1]))
    write_events(wanted.path, events, colours, sections=sections, card=wanted.text, ecm=wanted.ecm)
    return wanted.path
