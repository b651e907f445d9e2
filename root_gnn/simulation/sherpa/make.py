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
from root_gnn.simulation.sherpa.program import run_sherpa

SEEDS = 2**31 - 1
_NAME = "events"


@dataclass(frozen=True)
class HardEventsRequest:
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


def make_hard_events(request: HardEventsRequest) -> Path:
    """Runs Sherpa in a folder of its own, writes the file and returns its path; the same seed gives the same events.

    Raises InputError where Sherpa fails or writes another number of events.
    """
    with tempfile.TemporaryDirectory(prefix="sherpa-") as name:
        folder = Path(name)
        sections = run_sherpa(request.program, request.text, folder)
        events = read_events(folder / f"{_NAME}.lhe")
    if len(sections) != len(request.card.reactions) or len(events) != request.events:
        raise InputError(
            f"{request.program}: expected {request.events:,} events and the cross sections of "
            f"{len(request.card.reactions)} reactions, but Sherpa gave {len(events):,} and {len(sections)}; this "
            "version may not be one that the run cards are for (3.0)"
        )
    colours = draw_colours(events.pdg, events.momenta, request.card.apart, np.random.default_rng(request.seeds()[1]))
    write_events(request.path, events, colours, sections=sections, card=request.text, ecm=request.ecm)
    return request.path
