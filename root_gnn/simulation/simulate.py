"""`root-gnn simulate`: complete files of simulated events, the same for a seed with any number of processes at work."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from root_gnn.atomic import atomic_file
from root_gnn.console import Meter, log, progress
from root_gnn.errors import InputError, suggest
from root_gnn.parallel.lock import exclusive_writer, has_leftovers
from root_gnn.parallel.processes import run_in_order
from root_gnn.simulation.chunk import EVENTS_PER_CHUNK, LARGEST_CHUNK, LARGEST_USER_SEED, Chunk, ChunkResult, run_chunk
from root_gnn.simulation.detector import Detector
from root_gnn.simulation.hard_file import HardFile, hard_file_of_process, hard_file_of_user
from root_gnn.simulation.ntuple import Metadata, NtupleColumns, read_metadata, select_rows, write_ntuple
from root_gnn.simulation.objects import ObjectSelection
from root_gnn.simulation.parameters import check_params, hard_events_of, jet_selection, settings_of, stop_of
from root_gnn.simulation.pileup import PileUp
from root_gnn.simulation.process import Process, external, find_process
from root_gnn.simulation.sherpa.files import made_by
from root_gnn.simulation.sherpa.make import make_hard_events
from root_gnn.simulation.top_tagging import check_request, write_top_tagging
from root_gnn.simulation.variations import SETTINGS

LARGEST_RESIMULATE = 100
NO_PARAMS: Mapping[str, str] = {}


@dataclass(frozen=True)
class _Request:
    """The options of a request, whatever the process."""

    events: int
    seed: int
    params: Mapping[str, str]
    lhe: Path | None
    copies: int
    level: str
    pileup: PileUp | None
    variations: bool
    folder: Path  # for hard events that are made on the way


@dataclass(frozen=True)
class _Plan:
    """A file to write; `hard_file` where Pythia only showers."""

    process: Process
    events: int
    seed: int
    path: Path
    chunks: tuple[Chunk, ...]
    settings: str
    hard_file: HardFile | None

    @property
    def item(self) -> str:
        """The name of what is counted."""
        jets = self.chunks[0].jets
        return "events" if jets is None or jets.whole_events else "jets"


def simulate(
    processes: Sequence[str],
    *,
    events: int,
    out: Path,
    seed: int = 1,
    jobs: int = 1,
    lhe: Path | None = None,
    resimulate: int = 1,
    params: Mapping[str, str] = NO_PARAMS,
    level: str = "events",
    overwrite: bool = False,
    top_tagging: Path | None = None,
    pileup: PileUp | None = None,
    variations: bool = False,
) -> list[Path]:
    """Writes `out/<process>.root`, `events` preselected events each, and returns the paths in the order of `processes`.

    The content depends on process, events, seed, `resimulate`, `level`, `pileup`, `variations` and `params` only, never
    on `jobs`. A complete file made with the same settings is kept.

    Args:
        processes: names of processes; with `lhe` at most one, by default the name of the file.
        events: number of events, or of jets of a class with `level` "jets".
        out: folder of the files.
        seed: seed of all random numbers.
        jobs: number of processes at work. They are spawned: a script that asks for more than one needs the usual `if
            __name__ == "__main__"`.
        lhe: Les Houches file of hard events to shower.
        resimulate: number of showers of each hard event, and of rows written for it.
        params: parameters of the processes by name (`parameters.PARAMETERS`).
        level: "events", or "jets" for large-radius jets with their constituents: `events` jets of a class, or all jets
            of `events` events where the process is one of whole events.
        overwrite: replace existing files; without it a file with other content is an InputError.
        top_tagging: file for the jets of QCD and Tbqq together in the layout of the Top Tagging reference set.
        pileup: minimum-bias collisions laid over each event.
        variations: add the weights for half and twice the scale of the showers as branches
            (`variations.variation_branch`).
    """
    _check_options(processes, events=events, seed=seed, jobs=jobs, lhe=lhe, resimulate=resimulate, level=level)
    if top_tagging is not None:
        check_request(top_tagging, processes, level, resimulate)
        if top_tagging.exists() and not overwrite:
            raise InputError(
                f"--top-tagging {top_tagging}: this file exists already; choose another name or pass --overwrite"
            )
    chosen = (
        [find_process(name, level) for name in processes]
        if lhe is None
        else [external(processes[0] if processes else lhe.name.split(".")[0], level)]
    )
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: expected a folder, but it is a file; choose another name")
    check_params(params, chosen, from_file=lhe is not None)
    with tempfile.TemporaryDirectory(prefix="hard-events-") as folder:
        request = _Request(events, seed, params, lhe, resimulate, level, pileup, variations, Path(folder))
        plans = [_plan(process, request, out / f"{process.name}.root") for process in chosen]
        for plan in plans:
            if has_leftovers(plan.path):
                with _only_writer(plan.path):
                    pass
        todo = [plan for plan in plans if overwrite or not _is_complete(plan)]
        if todo:
            _run(todo, jobs)
    paths = [plan.path for plan in plans]
    if top_tagging is not None:
        write_top_tagging(top_tagging, paths, seed=seed)
    return paths


def _check_options(
    processes: Sequence[str],
    *,
    events: int,
    seed: int,
    jobs: int,
    lhe: Path | None,
    resimulate: int,
    level: str,
) -> None:
    """Raises InputError for options that are out of range or exclude each other.

    Args:
        processes: names of processes.
        events: number of events.
        seed: seed of all random numbers.
        jobs: number of processes at work.
        lhe: Les Houches file of hard events.
        resimulate: number of showers of each hard event.
        level: "events" or "jets".
    """
    if level not in ("events", "jets"):
        raise InputError(f"--level {level}: expected events or jets{suggest(level, ('events', 'jets'))}")
    if not 1 <= resimulate <= LARGEST_RESIMULATE:
        raise InputError(f"--resimulate {resimulate}: expected 1 to {LARGEST_RESIMULATE} showers of each hard event")
    if lhe is None and not processes:
        raise InputError("--process: at least one is needed; `root-gnn simulate --list` shows them")
    if lhe is not None and len(processes) > 1:
        raise InputError(
            f"--lhe {lhe}: a file is one process, but {len(processes)} names were given ({', '.join(processes)})"
        )
    if len(set(processes)) < len(processes):
        raise InputError(f"--process: a name is given twice ({', '.join(processes)})")
    if not 1 <= events <= EVENTS_PER_CHUNK * LARGEST_CHUNK:
        raise InputError(f"--events {events}: expected 1 to {EVENTS_PER_CHUNK * LARGEST_CHUNK:,}")
    if not 0 <= seed <= LARGEST_USER_SEED:
        raise InputError(f"--seed {seed}: expected 0 to {LARGEST_USER_SEED:,}")
    if jobs < 1:
        raise InputError(f"--jobs {jobs}: expected 1 or more processes")


def _plan(process: Process, request: _Request, path: Path) -> _Plan:
    events, seed, params, lhe = request.events, request.seed, request.params, request.lhe
    hard_file = (
        hard_file_of_user(lhe)
        if lhe is not None
        else hard_file_of_process(process, events=events, seed=seed, params=params, folder=request.folder)
    )
    jets = jet_selection(process, params) if request.level == "jets" else None
    parts = settings_of(process, params, from_file=lhe is not None)
    if request.variations:
        parts = tuple((*part, *SETTINGS) for part in parts)
    slha = stop_of(process, params).slha() if process.needs_slha else None
    settings: dict[str, Any] = {
        "parts": parts,
        "slha": slha,
        "detector": asdict(Detector()),
        "selection": asdict(jets or ObjectSelection()),
    }
    hard = hard_events_of(process, params)
    if hard is not None:
        settings["hard"] = asdict(hard)
    if request.pileup is not None:
        settings["pileup"] = asdict(request.pileup)
    if request.copies > 1:
        settings["resimulate"] = request.copies
    if hard_file is None:
        firsts = range(0, events, EVENTS_PER_CHUNK)
        chunks = [
            Chunk(process.id, seed, i, parts, min(EVENTS_PER_CHUNK, events - first), slha)
            for i, first in enumerate(firsts)
        ]
    else:
        settings |= hard_file.settings
        firsts = range(0, hard_file.n_event, EVENTS_PER_CHUNK)
        chunks = [
            Chunk(
                process.id,
                seed,
                i,
                parts,
                0,
                lhe=hard_file.path,
                skip=first,
                shared=hard_file.shared,
                n_hard=min(EVENTS_PER_CHUNK, hard_file.n_event - first),
            )
            for i, first in enumerate(firsts)
        ]
    chunks = [
        replace(
            chunk, copies=request.copies, jets=jets, hard=hard, pileup=request.pileup, variations=request.variations
        )
        for chunk in chunks
    ]
    return _Plan(process, events, seed, path, tuple(chunks), json.dumps(settings, sort_keys=True), hard_file)


def _is_complete(plan: _Plan) -> bool:
    """Whether the complete file exists already; raises InputError where the existing file is a different one."""
    if not plan.path.exists():
        return False
    old = read_metadata(plan.path)
    if old is not None and (old.process, old.seed, old.n_requested, old.settings) == (
        plan.process.name,
        plan.seed,
        plan.events,
        plan.settings,
    ):
        log.info("%s: already there (%s events, seed %s)", plan.path, f"{old.n_kept:,}", old.seed)
        return True
    if old is None:
        existing = "a file that simulate did not write"
    elif (old.process, old.seed, old.n_requested) != (plan.process.name, plan.seed, plan.events):
        existing = f"{old.n_requested:,} events of {old.process} with seed {old.seed}"
    else:
        existing = "events made with other settings (parameters, detector or version)"
    raise InputError(
        f"{plan.path}: expected no file or the same events ({plan.events:,} of {plan.process.name} with seed "
        f"{plan.seed}), but it holds {existing}; choose another --out, remove it, or pass --overwrite"
    )


def _run(plans: Sequence[_Plan], jobs: int) -> None:
    tasks = [chunk for plan in plans for chunk in plan.chunks]
    requests = [
        plan.hard_file.request for plan in plans if plan.hard_file is not None and plan.hard_file.request is not None
    ]
    with ExitStack() as stack:
        if requests:
            making = stack.enter_context(progress("Sherpa", len(requests), "files"))
            for path in run_in_order(make_hard_events, requests, jobs=min(jobs, len(requests))):
                making.advance(1, path.name)
        meter = stack.enter_context(progress("simulate", sum(plan.events for plan in plans)))
        results = run_in_order(run_chunk, tasks, jobs=jobs)
        stack.callback(results.close)  # type: ignore[attr-defined]
        for plan in plans:
            _write_file(plan, results, meter)


def _write_file(plan: _Plan, results: Iterator[ChunkResult], meter: Meter) -> None:
    total = _Total(plan)
    with _only_writer(plan.path), atomic_file(plan.path) as temporary:
        write_ntuple(temporary, total.take(results, meter), total.metadata, plan.chunks[0].layout)
    row = total.metadata()
    log.info(
        "%s: %s %s of %s events tried, cross section %.4g +- %.2g pb",
        plan.path,
        f"{row.n_kept:,}",
        plan.item,
        f"{row.n_tried:,}",
        row.cross_section,
        row.cross_section_error,
    )
    if total.n_kept < plan.events:
        log.warning(
            "%s: %s %s were requested, but the Les Houches file gave only %s that pass the preselection",
            plan.path,
            f"{plan.events:,}",
            plan.item,
            f"{total.n_kept:,}",
        )


class _Total:
    """Adds up the chunks of a file on their way to disk."""

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self._results: list[ChunkResult] = []
        self.n_kept = self._n_tried = 0
        self._sum_of_weights = 0.0

    def take(self, results: Iterator[ChunkResult], meter: Meter) -> Iterator[NtupleColumns]:
        """The branches of each chunk, cut where the file is complete."""
        for _ in self._plan.chunks:
            result = next(results)
            n_kept = len(result.tried_at)
            n_left = self._plan.events - self.n_kept
            cut = n_kept > n_left
            self._n_tried += int(result.tried_at[n_left - 1]) if cut else result.n_tried
            self._sum_of_weights += float(result.weight_at[n_left - 1]) if cut else result.sum_of_weights
            self.n_kept += min(n_kept, n_left)
            columns, result.columns = result.columns, {}
            self._results.append(result)
            meter.advance(min(n_kept, n_left), self._plan.process.name)
            if columns:
                layout = self._plan.chunks[0].layout
                yield (
                    select_rows(columns, np.arange(len(columns["weight"])) < result.rows_at[n_left - 1], layout)
                    if cut
                    else columns
                )
            if self.n_kept >= self._plan.events:
                return
        if not self.n_kept:
            n_failed = sum(result.n_failed for result in self._results)
            raise InputError(
                f"--lhe: no event of the file for {self._plan.process.name} could be used: Pythia rejected {n_failed} "
                f"(such files often lack the colour flow, columns ICOLUP), {self._n_tried} failed the preselection of "
                "two objects"
            )

    def metadata(self) -> Metadata:
        value, error = self._cross_section()
        plan, generator = self._plan, self._results[0].generator
        if plan.process.card is not None and plan.hard_file is not None:
            generator = f"{made_by(plan.hard_file.path)}, {generator}"
        n_failed = sum(result.n_failed for result in self._results)
        copies = plan.chunks[0].copies
        return Metadata(
            plan.process.name,
            plan.process.id,
            plan.seed,
            generator,
            value,
            error,
            self._n_tried * copies,
            self.n_kept * copies,
            n_failed,
            self._sum_of_weights * copies,
            plan.events,
            plan.settings,
        )

    def _cross_section(self) -> tuple[float, float]:
        """Sum over the parts of the mean over the chunks, weighted by their number of events.

        The cross section of Sherpa is that of all its events.
        """
        if self._plan.process.card is not None:
            whole = self._results[0].cross_sections[0]
            return whole.value, whole.error
        value = variance = 0.0
        for part in zip(*(result.cross_sections for result in self._results if result.cross_sections), strict=False):
            n_event = max(sum(section.n_event for section in part), 1)
            value += sum(section.value * section.n_event for section in part) / n_event
            variance += sum((section.error * section.n_event / n_event) ** 2 for section in part)
        return value, float(variance**0.5)


def _only_writer(path: Path) -> AbstractContextManager[None]:
    """Removes the remains of a killed run and locks the file; raises InputError where another process is writing it."""

    def refuse() -> None:
        raise InputError(f"{path}: another simulate is writing it; wait for it to end or choose another --out")

    return exclusive_writer(path, refuse)
