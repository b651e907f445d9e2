"""Generates, simulates and selects one chunk of a file; the result depends on the chunk alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.simulation.detector import Detector
from root_gnn.simulation.jets import JetSelection
from root_gnn.simulation.matrix_elements.source import hard_source
from root_gnn.simulation.matrix_elements.tth import TopPairHiggs
from root_gnn.simulation.ntuple import EVENTS, JETS, N_PILEUP, Layout, NtupleColumns
from root_gnn.simulation.objects import ObjectSelection
from root_gnn.simulation.pileup import MinimumBias, PileUp
from root_gnn.simulation.process import Settings
from root_gnn.simulation.pythia import LARGEST_SEED, CrossSection, Generator
from root_gnn.simulation.record import EventRecord
from root_gnn.simulation.reshower import Reshowerer
from root_gnn.simulation.rows import NtupleRows, event_rows, first_items, jet_rows, join, shuffle
from root_gnn.simulation.variations import VARIATIONS, variation_branch
from root_gnn.typing import AnyFloats

EVENTS_PER_CHUNK = 500
_BATCH = 100  # largest and smallest number of events n_requested of Pythia at once
_SMALL_BATCH = 10
_INDEX_BITS, _CHUNK_BITS, _SEED_BITS, _PROCESS_BITS = 9, 16, 30, 7
_SHARED = 1 << (_INDEX_BITS + _CHUNK_BITS + _SEED_BITS + _PROCESS_BITS)  # no other event number has this bit
LARGEST_USER_SEED = 2**_SEED_BITS - 1
LARGEST_CHUNK = 2**_CHUNK_BITS - 1
_SEED_STRIDE = 7919  # coprime to the number of Pythia's seeds: no two chunks of a file share one
_HARD = 100_000  # added to the process number for the random numbers of hard events that are showered several times
_PILEUP = 200_000  # the same for collisions of pile-up
_PILEUP_BATCH = 2_000  # of which no more than so many are laid over events at once: half a million particles
_LARGEST_WITHOUT_ITEM = 20_000  # events tried without one that passes the preselection


@dataclass(frozen=True)
class Chunk:
    """The work of one chunk: `n_keep` items, or the hard events `skip` to `skip + n_hard` of a file, selected or not.

    An item is an event that passes the preselection, or with `jets` what that selection counts (`rows.jet_rows`).

    Attributes:
        process_id: number of the process in the branch `process`.
        seed: the seed of the user.
        index: number of the chunk in its file, from 0.
        parts: Pythia settings of each part of the process; the parts share the items equally.
        n_keep: number of items to make.
        slha: text of a SUSY spectrum in the SLHA format.
        lhe: Les Houches file with the hard events.
        skip: number of hard events of the file that belong to earlier chunks.
        n_hard: number of hard events of the file to shower.
        copies: number of showers of each hard event.
        jets: which jets are kept; None for the ntuple of events.
        hard: process whose hard events come from the amplitudes of this library instead of Pythia.
        pileup: collisions laid over each event.
        variations: whether the settings have the shower vary its scales (`variations.SETTINGS`).
        shared: whether every seed has the same hard events, so that these must have the same event numbers.
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
    copies: int = 1
    jets: JetSelection | None = None
    hard: TopPairHiggs | None = None
    pileup: PileUp | None = None
    variations: bool = False
    shared: bool = False

    @property
    def layout(self) -> Layout:
        """Tree and branches of the chunk's ntuple."""
        further: dict[str, Any] = (
            {variation_branch(name): np.dtype(np.float32) for name in VARIATIONS} if self.variations else {}
        )
        return (EVENTS if self.jets is None else JETS).with_scalars({**further, **(N_PILEUP if self.pileup else {})})


@dataclass
class ChunkResult:
    """Branches of the selected items, the number of events tried for them, and the cross section of each part.

    `tried_at`, `weight_at` and `rows_at (n_item,)` are the numbers of hard events tried, their summed weight and the
    number of rows up to each item, so that a file can end anywhere. `n_tried` and `sum_of_weights` count hard events.
    """

    columns: NtupleColumns
    n_tried: int = 0
    n_failed: int = 0
    sum_of_weights: float = 0.0
    tried_at: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    weight_at: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    rows_at: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    cross_sections: list[CrossSection] = field(default_factory=list)
    generator: str = ""
    n_hard_seen: int = 0


def run_chunk(chunk: Chunk) -> ChunkResult:
    """Makes a chunk; the result is a function of the chunk alone."""
    rng = np.random.default_rng([chunk.seed, chunk.process_id, chunk.index, 1])
    shares = [len(share) for share in np.array_split(np.arange(chunk.n_keep), len(chunk.parts))]
    result = ChunkResult({})
    pieces: list[NtupleRows] = []
    for part, share in enumerate(shares):
        skip_part = chunk.lhe is None and share == 0
        if not skip_part:
            pieces += _run_part(chunk, part, share, result, rng)
    if pieces:
        rows = join(pieces)
        if len(shares) > 1:
            rows = shuffle(rows, rng, chunk.layout)
        result.rows_at = np.cumsum(np.bincount(rows.item, minlength=rows.n_item))
        result.columns = _number(rows, chunk)
    return result


def _run_part(chunk: Chunk, part: int, share: int, result: ChunkResult, rng: np.random.Generator) -> list[NtupleRows]:
    """Generates `share` items of a part of the process and adds the bookkeeping to `result`.

    Args:
        chunk: the chunk of work.
        part: index of the part in `chunk.parts`.
        share: number of items of this part.
        result: counts and cross sections of the chunk, to which those of this part are added.
        rng: random numbers of detector and selection.

    Raises RuntimeError where none of many events passes the selection.
    """
    generator = make_generator(chunk, part)
    pileup = _pileup(chunk, part, generator.ecm)
    largest = (
        _BATCH if chunk.pileup is None else min(_BATCH, max(_SMALL_BATCH, round(_PILEUP_BATCH / chunk.pileup.mean)))
    )
    pieces: list[NtupleRows] = []
    n_kept = n_hard = n_tried = 0
    while not generator.at_end and (n_hard < chunk.n_hard if chunk.lhe else n_kept < share):
        n_requested = min(
            max(largest // chunk.copies, 1), chunk.n_hard - n_hard if chunk.lhe else max(share - n_kept, _SMALL_BATCH)
        )
        record = generator.batch(n_requested)
        n_hard += n_requested
        if not record.n_event:
            continue
        rows = _rows(record if pileup is None else pileup.overlay(record, rng), chunk, rng)
        if not chunk.lhe:
            rows = first_items(rows, share - n_kept, chunk.layout)
        weight = record.weight[:: chunk.copies]
        full = not chunk.lhe and rows.n_item == share - n_kept
        _count(result, weight, rows.hard_of_item, len(weight) if not full else int(rows.hard_of_item[-1]) + 1)
        rows.hard = generator.positions[rows.hard] if chunk.shared else rows.hard + result.n_hard_seen
        result.n_hard_seen += len(weight)
        pieces.append(rows)
        n_kept += rows.n_item
        n_tried += record.n_event
        if not n_kept and n_tried >= _LARGEST_WITHOUT_ITEM:
            raise RuntimeError(f"none of {n_tried} events passed the selection")
    result.n_failed += generator.n_failed
    result.cross_sections.append(generator.cross_section())
    result.generator = generator.version
    return pieces


def _rows(record: EventRecord, chunk: Chunk, rng: np.random.Generator) -> NtupleRows:
    if chunk.jets is None:
        return event_rows(record, Detector(), ObjectSelection(), rng, copies=chunk.copies)
    return jet_rows(record, Detector(), chunk.jets, rng, copies=chunk.copies)


def _pileup(chunk: Chunk, part: int, ecm: float) -> MinimumBias | None:
    """The minimum-bias collisions to lay over the events of a part; `ecm` in GeV."""
    if chunk.pileup is None:
        return None
    seed = pythia_seed(chunk.seed, chunk.process_id + _PILEUP, chunk.index * len(chunk.parts) + part)
    return MinimumBias(chunk.pileup, ecm=ecm, seed=seed, detector=Detector())


def make_generator(chunk: Chunk, part: int) -> Generator | Reshowerer:
    """The generator of the events of a part of a chunk."""
    run = chunk.index * len(chunk.parts) + part
    seed = pythia_seed(chunk.seed, chunk.process_id, run)
    source = (
        None
        if chunk.hard is None
        else hard_source(chunk.hard, np.random.default_rng([chunk.seed, chunk.process_id, run, 2]))
    )
    if chunk.copies == 1:
        return Generator(chunk.parts[part], seed=seed, slha=chunk.slha, lhe=chunk.lhe, skip=chunk.skip, source=source)
    hard_seed = pythia_seed(chunk.seed, chunk.process_id + _HARD, run)
    return Reshowerer(
        chunk.parts[part],
        seed=seed,
        hard_seed=hard_seed,
        copies=chunk.copies,
        slha=chunk.slha,
        lhe=chunk.lhe,
        skip=chunk.skip,
        source=source,
    )


def _count(result: ChunkResult, weight: AnyFloats, hard_of_item: NDArray[np.int64], n_used: int) -> None:
    """Books the first `n_used` hard events of a batch as tried."""
    result.tried_at = np.concatenate((result.tried_at, result.n_tried + hard_of_item + 1))
    result.weight_at = np.concatenate((result.weight_at, result.sum_of_weights + np.cumsum(weight)[hard_of_item]))
    result.n_tried += n_used
    result.sum_of_weights += float(weight[:n_used].sum())


def _number(rows: NtupleRows, chunk: Chunk) -> NtupleColumns:
    """The branches with event numbers: hard events are numbered as they come, their showers by `resimulation`.

    Hard events that every seed shares are numbered by their position in the file, so that no split of the data
    separates what was one hard event.
    """
    first = chunk.process_id % 2**_PROCESS_BITS
    for value, bits in ((0 if chunk.shared else chunk.seed, _SEED_BITS), (chunk.index, _CHUNK_BITS), (0, _INDEX_BITS)):
        first = first << bits | value
    columns = rows.columns
    columns["eventNumber"] = (first | _SHARED) + rows.hard if chunk.shared else first + rows.event_rank()
    columns["resimulation"] = rows.copy.astype(np.int16)
    if chunk.jets is None:
        columns["process"] = np.full(len(rows.hard), chunk.process_id, dtype=np.int16)
    return columns


def pythia_seed(seed: int, process_id: int, run: int) -> int:
    """Pythia's seed for a run of (seed, process): different for every run, unrelated between seeds and processes."""
    start = int(np.random.SeedSequence([seed, process_id]).generate_state(1, np.uint64)[0])
    return 1 + (start + run * _SEED_STRIDE) % LARGEST_SEED
