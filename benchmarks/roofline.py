"""How near to the machine's limit.

Floating-point work of the exact network at the measured speed of `torch.mm`, over the time taken.

    python benchmarks/roofline.py --out roofline.json

The work is counted by hand (`root_gnn.bench.limit`): the least that gives the exact result, the same for every
implementation, so that one which multiplies more than it must is that much farther away. `torch.mm` is measured for
matrices as wide as the network's, in turns with the implementations, on one core. It is MKL's, which takes narrow
vectors on processors of other makers than Intel; ours go by oneDNN and by the compiled operator, which take the widest,
and may be above the limit. The speed of oneDNN stands beside.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from events import EVENTS
from graph_network import BASE, QUICK, Setting, check, contenders, inference, training
from graph_networks import Network, work

from root_gnn.bench.case import Bench, run_case
from root_gnn.bench.limit import MULTIPLICATION, ONEDNN, multiplication
from root_gnn.bench.row import Row
from root_gnn.bench.timing import Spread, alternate, ratios

WIDTHS = (64, 128, 256)


def speeds(bench: Bench, width: int) -> Iterator[Row]:
    """Of the matrix multiplications."""
    _, operations = multiplication(width)
    runs = {by: multiplication(width, by)[0] for by in (MULTIPLICATION, ONEDNN)}
    for by, seconds in alternate(runs, bench.rounds, clock=time.process_time).items():
        found = Spread.of([operations / each / 1e9 for each in seconds])
        yield Row.spread(found, what=f"{by}, {width} wide", ours=by, unit="GFLOP/s", rates={})


def fractions(bench: Bench, setting: Setting) -> Iterator[Row]:
    """Of everyone, in training and inference."""
    events, mine, theirs = contenders(setting, bench.data_dir)
    everyone = {**mine, **theirs}
    difference = check(setting, events, everyone)
    counted, share = work(setting.size, events, Network(setting.size, events, EVENTS)), setting.batch / events.n_graph
    multiply, operations = multiplication(setting.size.dim)
    for kind, make, whole in (("training", training, counted.training), ("inference", inference, counted.forward)):
        runs = {name: make(setting, events, contender) for name, contender in everyone.items()}
        seconds = alternate({**runs, MULTIPLICATION: multiply}, bench.rounds, clock=time.process_time)
        least = [whole * share / operations * each for each in seconds[MULTIPLICATION]]
        for name in everyone:
            found = ratios(least, seconds[name])
            yield Row.spread(
                found,
                what=f"{kind}, {setting}: fraction of the limit",
                ours=name,
                limit_fraction=found.median,
                unit="events/s",
                rates={
                    name: setting.batch / Spread.of(seconds[name]).median,
                    "limit": setting.batch / Spread.of(least).median,
                },
                max_difference=difference,
                note=f"{whole / events.n_graph / 1e6:.1f} MFLOP an event",
            )


def results(bench: Bench) -> Iterator[Row]:
    """The speed of the machine, then everyone beside it."""
    for width in WIDTHS:
        yield from speeds(bench, width)
    yield from fractions(bench, QUICK[0] if bench.quick else BASE)


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__))
