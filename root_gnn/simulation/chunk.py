"""One piece of work: generate, measure and select a fixed share of a file, the same on any process and in any order."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from root_gnn.simulation.detector import Detector, measure
from root_gnn.simulation.ntuple import Columns, concatenate, reorder, select
from root_gnn.simulation.objects import Selection, preselected, reconstruct
from root_gnn.simulation.processes import Settings
from root_gnn.simulation.pythia import LARGEST_SEED, CrossSection, Generator
from root_gnn.simulation.record import EventRecord, Floats
from root_gnn.simulation.truth import truth

EVENTS_PER_CHUNK = 500
_BATCH = 100  # largest and smallest number of events asked of Pythia at once
_SMALL_BATCH = 10
_INDEX_BITS, _CHUNK_BITS, _SEED_BITS, _PROCESS_BITS = 9, 16, 30, 7
LARGEST_USER_SEED = 2**_SEED_BITS - 1
LARGEST_CHUNK = 2**_CHUNK_BITS - 1
_SEED_STRIDE = 7919  # coprime to the number of Pythia's seeds: no two chunks of a file share one
_NEVER_KEPT = 20_000  # events tried without one that passes the preselection


@dataclass(frozen=True)
class Chunk:
    """What to make: `n_keep` preselected events, or of a file the hard events `skip` to `skip + n_hard`, kept or not.

    `parts`: Pythia settings of each part of the process; the parts share the events equally.
    """

    process_id: int
    seed: int
    index: int
    parts: tuple[Settings, ...]
    n_keep: int
    slha: str | None = None
    lhe: Path | None = None
    skip: int = 0
    n_hard: int = 0


@dataclass
class Result:
    """Branches of the kept events, how many were tried for them, and the cross section of each part.

    `tried_at`, `weight_at`: events tried and their summed weight up to each kept event, so that a file can end anywhere.
    """

    columns: Columns
    n_tried: int = 0
    n_failed: int = 0
    sum_of_weights: float = 0.0
    tried_at: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    weight_at: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    cross_sections: list[CrossSection] = field(default_factory=list)
    generator: str = ""


def run_chunk(chunk: Chunk) -> Result:
    """Makes a chunk; what comes out is a function of the chunk alone."""
    rng = np.random.default_rng([chunk.seed, chunk.process_id, chunk.index, 1])
    shares = [len(share) for share in np.array_split(np.arange(chunk.n_keep), len(chunk.parts))]
    result = Result({})
    pieces: list[Columns] = []
    for part, share in enumerate(shares):
        skip_part = chunk.lhe is None and share == 0
        if not skip_part:
            pieces += _run_part(chunk, part, share, result, rng)
    if pieces:
        result.columns = concatenate(pieces)
        n_kept = len(result.columns["weight"])
        if len(shares) > 1:
            result.columns = reorder(result.columns, rng.permutation(n_kept))
        _number(result.columns, chunk)
    return result


def _run_part(chunk: Chunk, part: int, share: int, result: Result, rng: np.random.Generator) -> list[Columns]:
    seed = pythia_seed(chunk.seed, chunk.process_id, chunk.index * len(chunk.parts) + part)
    generator = Generator(chunk.parts[part], seed=seed, slha=chunk.slha, lhe=chunk.lhe, skip=chunk.skip)
    detector, selection = Detector(), Selection()
    pieces: list[Columns] = []
    n_kept = n_hard = n_tried = 0
    while not generator.at_end and (n_hard < chunk.n_hard if chunk.lhe else n_kept < share):
        asked = min(_BATCH, chunk.n_hard - n_hard if chunk.lhe else max(share - n_kept, _SMALL_BATCH))
        record = generator.batch(asked)
        n_hard += asked
        if not record.n_event:
            continue
        columns = _simulate(record, detector, selection, rng)
        keep = np.flatnonzero(preselected(columns, selection))[: None if chunk.lhe else share - n_kept]
        full = not chunk.lhe and len(keep) == share - n_kept
        _count(result, record.weight, keep, record.n_event if not full else int(keep[-1]) + 1)
        mask = np.zeros(record.n_event, dtype=bool)
        mask[keep] = True
        pieces.append(select(columns, mask))
        n_kept += len(keep)
        n_tried += record.n_event
        if not n_kept and n_tried >= _NEVER_KEPT:
            raise RuntimeError(f"none of {n_tried} events passed the preselection of {selection.min_objects} objects")
    result.n_failed += generator.n_failed
    result.cross_sections.append(generator.cross_section())
    result.generator = generator.version
    return pieces


def _simulate(record: EventRecord, detector: Detector, selection: Selection, rng: np.random.Generator) -> Columns:
    columns = reconstruct(record, measure(record, detector, rng), selection, rng)
    columns["weight"] = record.weight.astype(np.float32)
    return columns | truth(record)


def _count(result: Result, weight: Floats, keep: NDArray[np.int64], n_used: int) -> None:
    """Books the first `n_used` events of a batch as tried."""
    result.tried_at = np.concatenate((result.tried_at, result.n_tried + keep + 1))
    result.weight_at = np.concatenate((result.weight_at, result.sum_of_weights + np.cumsum(weight)[keep]))
    result.n_tried += n_used
    result.sum_of_weights += float(weight[:n_used].sum())


def _number(columns: Columns, chunk: Chunk) -> None:
    n_kept = len(columns["weight"])
    first = chunk.process_id % 2**_PROCESS_BITS
    for value, bits in ((chunk.seed, _SEED_BITS), (chunk.index, _CHUNK_BITS), (0, _INDEX_BITS)):
        first = first << bits | value
    columns["eventNumber"] = first + np.arange(n_kept, dtype=np.int64)
    columns["resimulation"] = np.zeros(n_kept, dtype=np.int16)
    columns["process"] = np.full(n_kept, chunk.process_id, dtype=np.int16)


def pythia_seed(seed: int, process_id: int, run: int) -> int:
    """Pythia's own seed for a run of (seed, process): different for every run, unrelated between seeds and processes."""
    start = int(np.random.SeedSequence([seed, process_id]).generate_state(1, np.uint64)[0])
    return 1 + (start + run * _SEED_STRIDE) % LARGEST_SEED
