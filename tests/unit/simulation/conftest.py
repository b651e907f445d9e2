"""Particle guns without a generator, and a few small files simulated once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from root_gnn.simulation.process import Process
from root_gnn.simulation.record import EventRecord
from root_gnn.simulation.sherpa.shipped import shipped_file

QUICK = {"mpi": "off"}
# takes its events from a shipped file, without their colours, and says what Sherpa says
SHERPA = """#!{python}
import gzip, re, sys
from pathlib import Path

card = Path(sys.argv[2]).read_text()
n_event, seed = (int(re.search(key + r": (\\d+)", card)[1]) for key in ("EVENTS", "RANDOM_SEED"))
if "BEAM_ENERGIES: 1" in card:
    print("\\x1b[31mno such energy\\x1b[0m")
    sys.exit(3)
events = gzip.open("{events}", "rt").read().split("<event>\\n")[1:]
text = "<LesHouchesEvents version='1.0'>\\n<!--\\n# created by SHERPA 3.0.9\\n-->\\n<init>\\n</init>\\n"
for i in range(n_event):
    head, *rows = events[(seed + i) % len(events)].split("</event>")[0].strip().split("\\n")
    head = head.split()
    text += "<event trials='1'>\\n" + " ".join([*head[:2], "400.5", *head[3:]]) + "\\n"
    for row in rows:
        words = row.split()
        text += "  ".join([*words[:4], "0", "0", *words[6:]]) + "\\n"
    text += "</event>\\n"
Path("events.lhe").write_text(text + "</LesHouchesEvents>\\n")
for line in card.split("PROCESSES")[1].splitlines():
    if " -> " in line:
        said = "2_3__j__j__x\\x1b[0m : \\x1b[34m0.25 pb\\x1b[0m +- ( \\x1b[31m0.003 pb = 1.2 %\\x1b[0m )"
        print("\\x1b[1m" + said + " \\x1b[1m exp. eff: 7 %\\x1b[0m")
"""


@pytest.fixture(scope="session")
def make_record() -> Callable[..., EventRecord]:
    """Builds a record from arrays (and where particles were born); mothers count within all particles, -1 is none."""

    def make(
        n_event: int,
        *,
        event: Any,
        pdg: Any,
        pt: Any,
        eta: Any,
        phi: Any,
        mass: Any = 0.0,
        mother: Any = -1,
        final: Any = True,
        born: Any = (0.0, 0.0, 0.0),
    ) -> EventRecord:
        event = np.asarray(event, dtype=np.int64)
        n = len(event)
        pdg, pt, eta, phi, mass, mother, final = (
            np.broadcast_to(np.asarray(x), n) for x in (pdg, pt, eta, phi, mass, mother, final)
        )
        order = np.argsort(event, kind="stable")
        n_before = np.arange(n_event)[event[order]] + 1  # entries that stand for the events themselves
        place = np.empty(n, dtype=np.int64)
        place[order] = np.arange(n) + n_before
        root = np.searchsorted(event[order], np.arange(n_event)) + np.arange(n_event)
        total = n + n_event

        def column(values: Any, kind: type) -> Any:
            result: Any = np.zeros(total, dtype=kind)
            result[place] = values
            return result

        events = column(event, np.int64)
        events[root] = np.arange(n_event)
        mothers = column(np.where(mother < 0, root[event], place[mother]), np.int64)
        mothers[root] = root
        pdgs = column(pdg, np.int64)
        pdgs[root] = 90
        x, y, z = (column(np.broadcast_to(axis, n), float) for axis in born)
        return EventRecord(
            n_event,
            events,
            pdgs,
            column(final, bool),
            mothers,
            column(pt * np.cos(phi), float),
            column(pt * np.sin(phi), float),
            column(pt * np.sinh(eta), float),
            column(np.hypot(pt * np.cosh(eta), mass), float),
            x,
            y,
            z,
            np.ones(n_event),
        )

    return make


@pytest.fixture(scope="session")
def gun(make_record: Callable[..., EventRecord]) -> Callable[..., EventRecord]:
    """One particle an event, with given code, pt and eta, at random azimuth."""

    def shoot(n_event: int, pdg: int, pt: float, eta: float, mass: float = 0.0) -> EventRecord:
        phi = np.random.default_rng(11).uniform(-np.pi, np.pi, n_event)
        return make_record(n_event, event=np.arange(n_event), pdg=pdg, pt=pt, eta=eta, phi=phi, mass=mass)

    return shoot


@pytest.fixture(scope="session")
def generate() -> Callable[[Process], list[EventRecord]]:
    """Generates five events of each part of a process, with a cross section above zero."""
    pytest.importorskip("pythia8mc")
    from root_gnn.simulation.chunk import Chunk, make_generator
    from root_gnn.simulation.parameters import hard_events_of, settings_of, stop_of

    def make(process: Process) -> list[EventRecord]:
        parts = settings_of(process, QUICK, from_file=False)
        slha = stop_of(process, {}).slha() if process.needs_slha else None
        lhe = shipped_file(process.name) if process.card is not None else None
        chunk = Chunk(process.id, 1, 0, parts, 5, slha, lhe, hard=hard_events_of(process, {}))
        generators = [make_generator(chunk, part) for part in range(len(parts))]
        records = [generator.batch(5) for generator in generators]
        assert all(generator.cross_section().value > 0.0 for generator in generators)
        return records

    return make


@pytest.fixture(scope="session")
def count_particles(generate: Callable[[Process], list[EventRecord]]) -> Callable[..., list[Any]]:
    """Generates a few events of a process and counts the particles of each kind in every event, as they decay."""

    def count(process: Process, kinds: Sequence[int]) -> list[Any]:
        rows = []
        for record in generate(process):
            heavy = [record.event[record.is_last_copy & (record.kind == kind)] for kind in kinds]
            rows += np.stack([np.bincount(event, minlength=record.n_event) for event in heavy], axis=1).tolist()
        assert len(rows) >= 5
        return [tuple(row) for row in rows]

    return count


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ZH, ttbar and FCNC, simulated in this process."""
    pytest.importorskip("pythia8mc")
    pytest.importorskip("fastjet")
    from root_gnn.simulation.simulate import simulate

    out = tmp_path_factory.mktemp("simulated")
    simulate(["ZH", "ttbar", "FCNC"], events=520, out=out, seed=5, params=QUICK)
    return out


@pytest.fixture
def sherpa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only Sherpa there is, on the path; it makes events of ttW whatever it is asked for."""
    folder = tmp_path / "unpacked" / "bin"
    folder.mkdir(parents=True)
    program = folder / "Sherpa"
    program.write_text(SHERPA.format(python=sys.executable, events=shipped_file("ttW")))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setattr("root_gnn.simulation.sherpa.program.PACKAGE", "no-such-package")
    return program


@pytest.fixture
def no_sherpa(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Sherpa anywhere."""
    monkeypatch.setattr("root_gnn.simulation.hard_file.find_program", lambda: None)
