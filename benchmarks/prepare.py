"""Preparing beside reading: how fast the cache is written from ROOT, against uproot reading the same branches.

    python benchmarks/prepare.py                                  (the repository's simulated events, resampled to
    300,000) python benchmarks/prepare.py --file my.root --spec my_spec.yaml

Both go over the same ranges of entries, by the clock on the wall: `tree.arrays(names, library="ak")`, and `prepare`
from opening the file to the shard in its place (checks, report, checksums of file and cache). Before, the arrays in the
cache are compared with graphs built from records. The ratio is uproot's time over ours; 0.5 is half its speed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import torch
import uproot
from resample import resample, simulated_files

from root_gnn.bench.case import Bench, agree, run_case
from root_gnn.bench.row import Row
from root_gnn.data.cache.prepare import CACHE_VARIABLE, cache_dir, prepare_shards
from root_gnn.data.cache.shard import Shard
from root_gnn.data.reading.graphs import graph_arrays
from root_gnn.data.reading.read import iterate, open_records
from root_gnn.data.spec.spec import Spec, load_spec

N_SMALL = 3_000


class Preparing:
    """One file, prepared and read again and again."""

    def __init__(self, spec: Spec, path: Path) -> None:
        self.spec, self.path = spec, path
        with open_records(path, spec) as records:
            self.names, self.chunks, self.n_entry = (
                list(records.selection.branches),
                list(records.chunks()),
                records.n_entry,
            )

    def ours(self) -> Shard:
        """The shard, made anew."""
        shutil.rmtree(cache_dir(self.path.parent), ignore_errors=True)
        return prepare_shards(self.spec, [self.path], data_dir=self.path.parent)[self.path]

    def uproot(self) -> None:
        """The same branches as awkward arrays."""
        with uproot.open(self.path, handler=uproot.MemmapSource) as file:
            tree = file[getattr(self.spec.source, "tree", "Events")]
            for start, stop in self.chunks:
                tree.arrays(self.names, entry_start=start, entry_stop=stop, library="ak", how=dict)

    def check(self) -> float:
        """The largest difference of the cache from graphs built of records; raises UnequalError where there is any."""
        shard = self.ours()
        whole = graph_arrays(ak.concatenate(list(iterate(self.path, self.spec))), self.spec)
        expected = {
            "nodes": whole.nodes,
            "ids": whole.ids,
            "weight": whole.weight,
            "label": whole.label,
            "globals": whole.globals,
        }
        found = {name: getattr(shard, name) for name in expected}
        for place, name in enumerate(shard.meta.truth):
            expected[f"truth of {name}"], found[f"truth of {name}"] = whole.truth[name], shard.truth[:, place]
        return max(
            agree(f"{name} in the cache", torch.tensor(found[name]), torch.tensor(values), 0.0)
            for name, values in expected.items()
            if values is not None
        )


def results(bench: Bench) -> Iterator[Row]:
    """One row."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CACHE_VARIABLE] = f"{folder}/cache"
        path = bench.options.file
        if path is None:
            path = Path(folder) / "resampled.root"
            resample(simulated_files(bench.data_dir), path, N_SMALL if bench.quick else bench.options.events, seed=1)
        case = Preparing(load_spec(bench.options.spec), path)
        yield from bench.compare(
            f"{case.n_entry:,} events, {len(case.names)} branches",
            {"root_gnn": case.ours, "uproot": case.uproot},
            ours=["root_gnn"],
            amount=case.n_entry,
            unit="events",
            difference=case.check(),
            targets=0.5,
            clock=time.perf_counter,
        )


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which file."""
    parser.add_argument("--file", type=Path, help="a ROOT file; without it simulated events, resampled")
    parser.add_argument("--spec", default="events")
    parser.add_argument("--events", type=int, default=300_000, help="size of the resampled file")


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__, arguments=arguments))
