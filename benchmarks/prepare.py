"""Preparing beside reading: how fast the cache is written from ROOT, against uproot reading the same branches.

    python benchmarks/prepare.py                                  (the repository's simulated events, resampled to 300,000)
    python benchmarks/prepare.py my.root --spec my_spec.yaml

In each round both run in this process, in alternating order, over the same ranges of entries: `tree.arrays(names, library="ak")`,
and `prepare` from opening the file to the shard in its place (checks, report, checksums of file and cache). Before, the arrays in
the cache are compared with graphs built from records. The ratio is uproot's time over ours, round by round; 0.5 is half its speed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import torch
import uproot
from resample import fixtures, resample

from root_gnn.console import set_verbosity
from root_gnn.data.cache import Shard
from root_gnn.data.graphs import graph_arrays
from root_gnn.data.prepare import CACHE_VARIABLE, cache_dir, prepare
from root_gnn.data.read import iterate, open_records
from root_gnn.data.spec import Spec, load_spec


class Preparing:
    """One file, prepared and read again and again."""

    def __init__(self, spec: Spec, path: Path) -> None:
        self.spec, self.path, self.n_built = spec, path, 0
        with open_records(path, spec) as records:
            self.names, self.chunks, self.n_entry = list(records.selection.branches), list(records.chunks()), records.n_entry

    def ours(self) -> Shard:
        """The shard, made anew."""
        return prepare(self.spec, [self.path], data_dir=self.path.parent)[self.path]

    def uproot(self) -> None:
        """The same branches as awkward arrays."""
        with uproot.open(self.path, handler=uproot.MemmapSource) as file:
            tree = file[getattr(self.spec.source, "tree", "Events")]
            for start, stop in self.chunks:
                tree.arrays(self.names, entry_start=start, entry_stop=stop, library="ak", how=dict)

    def check(self) -> None:
        """Raises SystemExit where the cache does not hold what graphs built from records hold."""
        shard = self.ours()
        whole = graph_arrays(ak.concatenate(list(iterate(self.path, self.spec))), self.spec)
        expected = {"nodes": whole.nodes, "ids": whole.ids, "weight": whole.weight, "label": whole.label, "globals": whole.globals}
        for name, values in {**expected, **{f"truth of {key}": column for key, column in whole.truth.items()}}.items():
            column = name.removeprefix("truth of ")
            found = shard.truth[:, shard.meta.truth.index(column)] if name != column else getattr(shard, name)
            if values is not None and not np.array_equal(found, values):
                raise SystemExit(f"{name} in the cache differ from those of the records")

    def timed(self, what: Callable[[], Any]) -> float:
        """Seconds that one call takes, from a cache without the file."""
        shutil.rmtree(cache_dir(self.path.parent), ignore_errors=True)
        start = time.perf_counter()
        what()
        return time.perf_counter() - start

    def rounds(self, n_round: int) -> dict[str, list[float]]:
        """Seconds of each, round by round; who comes first alternates."""
        seconds: dict[str, list[float]] = {"root_gnn": [], "uproot": []}
        pair = [("root_gnn", self.ours), ("uproot", self.uproot)]
        for place in range(n_round):
            for name, what in pair if place % 2 else pair[::-1]:
                seconds[name].append(self.timed(what))
        return seconds


def summary(values: list[float]) -> dict[str, float]:
    """Median and spread."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def main() -> int:
    """Prints JSON and a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", help="a ROOT file; without it simulated events, resampled")
    parser.add_argument("--spec", default="events")
    parser.add_argument("--events", type=int, default=300_000, help="size of the resampled file")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    set_verbosity(-1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CACHE_VARIABLE] = folder
        path = options.file
        if path is None:
            path = Path(folder) / "resampled.root"
            resample(fixtures(), path, options.events, seed=1)
        bench = Preparing(load_spec(options.spec), path)
        bench.check()
        seconds = bench.rounds(options.rounds)
    ratios = [theirs / ours for ours, theirs in zip(seconds["root_gnn"], seconds["uproot"], strict=True)]
    result = {
        "n_entry": bench.n_entry, "n_branch": len(bench.names), "n_chunk": len(bench.chunks), "n_cpu": os.cpu_count(),
        "seconds": {name: summary(values) for name, values in seconds.items()}, "ratio": summary(ratios),
    }  # fmt: skip
    sys.stdout.write(json.dumps(result, indent=1) + "\n\n")
    sys.stdout.write("| | seconds, median (min to max) | events/s |\n|---|---|---|\n")
    for name, values in seconds.items():
        of = summary(values)
        sys.stdout.write(f"| {name} | {of['median']:.3f} ({of['min']:.3f} to {of['max']:.3f}) | {bench.n_entry / of['median']:,.0f} |\n")
    of = summary(ratios)
    sys.stdout.write(f"\nSpeed of prepare over that of uproot: {of['median']:.2f} ({of['min']:.2f} to {of['max']:.2f})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
