"""The description of a process that `simulate` can make, and the list of all processes.

Each file of `root_gnn/simulation/processes` defines `PROCESSES`, one or more `Process` objects. A process is nothing
else: it contains its settings, what `simulate --control` compares it with, and its row in the documentation.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from root_gnn.config.plugins import family_values
from root_gnn.errors import InputError, suggest
from root_gnn.simulation.heavy import Resonance
from root_gnn.simulation.jets import JetSelection
from root_gnn.simulation.sherpa.cards import Card

Settings = tuple[str, ...]
EXTERNAL_IDS = 1000, 31000  # `process` values of external files under names of their own
FAMILY = "simulation.processes"


@dataclass(frozen=True, kw_only=True)
class ControlFigures:
    """The expected properties of generated events, besides conservation laws, masses and decay fractions.

    Particles are PDG numbers without sign.

    Attributes:
        made: particles of each kind in every event, without those from tops and Higgs bosons. Tops, Higgs bosons, W and
            Z that are not named are expected to be absent; -1 leaves a kind out. None: numbers differ between events.
        made_by_decay: the same for other values of the parameter `decay`.
        two_of: kinds of which every event has two in all.
        decays: the only decay products of a kind.
        fractions: known branching fractions of a kind that the settings fix, by name: products and fraction.
        with_photon: whether what is called Z is in part a photon, with another mass and other decays.
        positive: a kind, its share of positive charge, and the error of that share.
        is_symmetric: whether W of both charges are equally many.
        more_tops: tops of one charge minus those of the other, without sign; None where it differs.
        n_hard_photon: photons above 20 GeV that are made with the tops; None where they are not counted.
        equal_charges_to: a kind and a decay product: such decays are equally many for both charges of the kind.
    """

    made: Mapping[int, int] | None = None
    made_by_decay: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    two_of: tuple[int, ...] = ()
    decays: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    fractions: Mapping[int, Mapping[str, tuple[tuple[int, ...], float]]] = field(default_factory=dict)
    with_photon: bool = False
    positive: tuple[int, float, float] | None = None
    is_symmetric: bool = True
    more_tops: int | None = None
    n_hard_photon: int | None = None
    equal_charges_to: tuple[int, int] | None = None


@dataclass(frozen=True)
class Process:
    """One process: its name on disk, its number in the branch `process`, and the Pythia settings that make it.

    Attributes:
        name: the name in commands and of the file.
        id: the number in the branch `process`, of this process alone.
        description: what it is, in a few words.
        settings: settings of Pythia.
        parts: blocks of settings of equal cross section that are mixed in equal shares, each added to `settings`.
        caveat: what a user has to know.
        params: names of the parameters that it takes, see `PARAMETERS`.
        needs_slha: whether masses and decays come from a supersymmetric spectrum.
        levels: the ntuples that it can be written to, `events` or `jets`.
        jets: which jets the jet ntuple keeps; None where there is none.
        harder: limits on the pt of the hard process over those on the pt of jets, without the upper one where jets have
            none.
        resonances: the heavy particle, by the value of the parameter `choice` (the first is the default).
        choice: the parameter that chooses the heavy particle.
        mass: default mass of the heavy particle in GeV.
        cp_angle: CP angle in degrees, where the hard events are our own of top pair and Higgs boson.
        card: the run card, where the hard events are Sherpa's.
        control: what `simulate --control` compares its events with.
        row: cells of its row in the documentation, after the name.
    """

    name: str
    id: int
    description: str
    settings: Settings = ()
    parts: tuple[Settings, ...] = ((),)
    caveat: str = ""
    params: tuple[str, ...] = ()
    needs_slha: bool = False
    levels: tuple[str, ...] = ("events",)
    jets: JetSelection | None = None
    harder: tuple[float, float] | None = None
    resonances: Mapping[str, Resonance] | None = None
    choice: str = ""
    mass: float = 0.0
    cp_angle: float | None = None
    card: Card | None = None
    control: ControlFigures = ControlFigures()
    row: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The table of the documentation with its row: `jets`, `sherpa` or `events`."""
        return "jets" if self.levels == ("jets",) else "events" if self.card is None else "sherpa"


def all_processes() -> tuple[Process, ...]:
    """All processes in the order of their numbers; raises InputError where two have the same name or number."""
    processes = sorted((process for group in family_values(FAMILY, "PROCESSES") for process in group), key=_number)
    for field_name in ("name", "id"):
        first: dict[object, Process] = {}
        for process in processes:
            other = first.setdefault(getattr(process, field_name), process)
            if other is not process:
                raise InputError(
                    f"the processes {other.name} ({other.description}) and {process.name} ({process.description}) "
                    f"have the same {field_name} {getattr(process, field_name)}; give each its own"
                )
    return tuple(processes)


def _number(process: Process) -> int:
    return process.id


def processes_by_name() -> dict[str, Process]:
    """All processes by their names."""
    return {process.name: process for process in all_processes()}


def find_process(name: str, level: str = "events") -> Process:
    """Finds the process called `name`; raises InputError where it is unknown, or not made at this level."""
    known = processes_by_name()
    if name in known:
        _check_level(known[name], level)
        return known[name]
    raise InputError(f"--process {name}: no such process{suggest(name, known)}")


def _check_level(process: Process, level: str) -> None:
    if level in process.levels:
        return
    if level == "events":
        raise InputError(
            f"--process {process.name}: it is a class of jets, which have an ntuple of their own: add --level jets"
        )
    names = ", ".join(p.name for p in all_processes() if level in p.levels)
    raise InputError(
        f"--process {process.name} --level {level}: expected one of {names}; leave --level out for the event ntuple"
    )


def external(name: str, level: str = "events") -> Process:
    """Makes a process whose hard events come from a file.

    A name of a known process keeps its number; other names get one from their letters. With jets the name says which
    class they are, so it must be one that has jets; raises InputError otherwise.
    """
    if level == "jets":
        return replace(find_process(name, level), settings=(), parts=((),), resonances=None, harder=None, params=())
    known = processes_by_name()
    if name in known:
        number = known[name].id
    else:
        low, high = EXTERNAL_IDS
        number = low + zlib.crc32(name.encode()) % (high - low)
    return Process(name, number, "hard events from a Les Houches file")


def describe_processes() -> list[str]:
    """One line for each process: name, what it is, its caveat."""
    lines = []
    for process in all_processes():
        level = "" if process.levels == ("events",) else f" [--level {' or '.join(process.levels)}]"
        caveat = f" ({process.caveat})" if process.caveat else ""
        lines.append(f"{process.name:<12} {process.description}{caveat}{level}")
    return lines


def documentation_rows(kind: str) -> list[str]:
    """Rows of a table of docs/simulation.md in Markdown; `kind` is `events`, `sherpa` or `jets`."""
    rows = [process for process in all_processes() if process.kind == kind]
    return [f"| {' | '.join((f'`{process.name}`', *process.row))} |" for process in rows]
