"""Ten million events: memory while they are prepared and while an epoch is read, and how fast both are.

    python benchmarks/large_files.py --folder /a/disk/with/room            (10 files of 1,000,000 events; 14 GB of files
    and cache) python benchmarks/large_files.py --folder ... --files 2 --events 100000 --jobs 2

The repository's simulated events are resampled with event numbers of their own. Preparing and reading run in processes
of their own, whose anonymous memory (RssAnon: mapped file pages not counted) and that of their children is sampled 50
times a second. Once each.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from resample import resample, simulated_files

from root_gnn.bench.case import Bench, run_case
from root_gnn.bench.memory import PeakMemory, watched
from root_gnn.bench.row import LeftOut, Row
from root_gnn.data.cache.prepare import CACHE_VARIABLE, prepare_shards
from root_gnn.data.events.loader import train_loader
from root_gnn.data.events.table import EventTable
from root_gnn.data.spec.spec import load_spec

N_SMALL = 2_000
MOST = 2048.0  # MiB
SPEC = "events"


def prepared(folder: Path, jobs: int) -> int:
    """Prepares the files of a folder; events."""
    torch.set_num_threads(1)
    return sum(
        shard.n_graph
        for shard in prepare_shards(load_spec(SPEC), sorted(folder.glob("*.root")), data_dir=folder, jobs=jobs).values()
    )


def read(folder: Path) -> int:
    """One shuffled epoch; events."""
    torch.set_num_threads(1)
    spec = load_spec(SPEC)
    table = EventTable(list(prepare_shards(spec, sorted(folder.glob("*.root")), data_dir=folder).values()), spec)
    return sum(batch.n_graph for batch in train_loader(table, np.arange(len(table)), 1024, seed=1))


def rows(what: str, measured: PeakMemory, note: str) -> Iterator[Row]:
    """Memory and rate of a process."""
    for kind, value, unit, between in (
        ("anonymous memory at most", measured.peak_mib, "MiB", (0.0, MOST)),
        ("anonymous memory of the imports", measured.before_mib, "MiB", None),
        ("rate", measured.result / measured.seconds, "events/s", None),
    ):
        yield Row(
            what=f"{what}: {kind}",
            ratio=value,
            low=value,
            high=value,
            quartiles=(value, value),
            unit=unit,
            rates={},
            between=between,
            note=note,
        )


def results(bench: Bench) -> Iterator[Row | LeftOut]:
    """Prepare, then read."""
    if not sys.platform.startswith("linux"):
        yield LeftOut(what="memory of large files", reason="anonymous memory is read from /proc")
        return
    if bench.options.folder is None and not bench.quick:
        yield LeftOut(what="large files", reason="--folder does not name a disk with room for 14 GB")
        return
    options, n_event = bench.options, N_SMALL if bench.quick else bench.options.events
    n_file = 1 if bench.quick else options.files
    os.environ.pop(CACHE_VARIABLE, None)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        for place in range(n_file):
            resample(simulated_files(bench.data_dir), folder / f"events{place}.root", n_event, seed=place + 1)
        note = f"{n_file * n_event:,} events"
        yield from rows(f"prepare, {options.jobs} at a time", watched(prepared, folder, options.jobs), note)
        yield from rows("a shuffled epoch", watched(read, folder), note)


def arguments(parser: argparse.ArgumentParser) -> None:
    """How large, and where."""
    parser.add_argument("--folder", type=Path, help="where files and cache are made, and removed in the end")
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--events", type=int, default=1_000_000, help="in each file")
    parser.add_argument("--jobs", type=int, default=1)


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__, n_core=2, arguments=arguments))
