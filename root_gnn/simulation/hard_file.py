"""Files of hard events that Pythia only showers: given by the user, made by a run of Sherpa, or shipped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from root_gnn.errors import InputError
from root_gnn.simulation.lhe import count_events
from root_gnn.simulation.parameters import process_number
from root_gnn.simulation.process import Process
from root_gnn.simulation.sherpa.make import HardEventsRequest
from root_gnn.simulation.sherpa.program import find_program
from root_gnn.simulation.sherpa.shipped import ENERGY, shipped_file

_MORE, _AT_LEAST = 1.1, 20  # hard events per requested event, since some fail the preselection


@dataclass(frozen=True)
class HardFile:
    """A Les Houches file of `n_event` events; `settings` identifies it in the metadata of the ntuple.

    `shared`: whether the events are the same for every seed. `request`: how to make the file, None where it exists.
    """

    path: Path
    n_event: int
    settings: Mapping[str, Any]
    shared: bool = False
    request: HardEventsRequest | None = None


def hard_file_of_user(path: Path) -> HardFile:
    """The file given with --lhe; raises InputError where it is no Les Houches file."""
    return HardFile(path.resolve(), count_events(path), {"lhe": _identity(path)})


def hard_file_of_process(
    process: Process, *, events: int, seed: int, params: Mapping[str, str], folder: Path, spare: bool = True
) -> HardFile | None:
    """The hard events of a process of Sherpa, made in `folder` or shipped; None for other processes.

    Args:
        process: the process.
        events: number of events in the ntuple.
        seed: the seed of the user.
        params: parameters of the process by name (`parameters.PARAMETERS`).
        folder: folder for a file that Sherpa makes.
        spare: whether to make more hard events than `events`, since some fail the preselection.

    Raises InputError where the shipped file has too few events or another energy.
    """
    if process.card is None:
        return None
    program = find_program()
    if program is None:
        return _shipped(process, events, params, spare=spare)
    n_event = _enough(events, spare=spare)
    request = HardEventsRequest(
        folder / f"{process.name}.lhe.gz",
        program,
        process.card,
        process.id,
        n_event,
        seed,
        process_number(params, "ecm", ENERGY),
    )
    return HardFile(request.path, n_event, {"sherpa": request.text}, request=request)


def _enough(events: int, *, spare: bool) -> int:
    return int(_MORE * events) + _AT_LEAST if spare else events


def _shipped(process: Process, events: int, params: Mapping[str, str], *, spare: bool) -> HardFile:
    path = shipped_file(process.name)
    n_event = count_events(path)
    way = "install Sherpa (pip install 'root_gnn[sherpa]', Python 3.12 or newer, or a program Sherpa on the path)"
    if process_number(params, "ecm", ENERGY) != ENERGY:
        raise InputError(
            f"--param ecm={params['ecm']}: the shipped hard events of {process.name} are of {ENERGY:g} GeV; {way}, or "
            f"leave it out"
        )
    if events > n_event:
        times = -(-events // n_event)
        raise InputError(
            f"--process {process.name} --events {events}: expected at most {n_event:,}, the number of hard events "
            f"that are shipped. For more {way}; or shower each of these several times: --events {n_event} "
            f"--resimulate {times} writes {n_event * times:,} rows, which are worth fewer events than that "
            "(docs/simulation.md)"
        )
    return HardFile(path, min(n_event, _enough(events, spare=spare)), {"lhe": _identity(path)}, shared=True)


def _identity(path: Path) -> dict[str, str]:
    with path.open("rb") as stream:
        return {"name": path.name, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}
