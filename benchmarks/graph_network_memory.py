"""What a training step of the event network takes of memory.

Beside the implementations in DGL and PyTorch Geometric of `graph_network`.

    python benchmarks/graph_network_memory.py --out graph_network_memory.json

The largest resident memory of one step on 1,024 graphs (hidden 64, 4 layers), for each edge, less what a process had
before; each implementation in five processes of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import torch
from events import EVENTS, poisson_events
from graph_network import BASE, COMPILED, PACKAGES, QUICK, Setting
from graph_networks import RECOMPUTING, forms, others, ours

from root_gnn.bench.case import Bench, installed, run_case
from root_gnn.bench.memory import peak, watched
from root_gnn.bench.row import LeftOut, Row
from root_gnn.bench.timing import Spread, ratios

TARGET = 6.0
N_PROCESS = 5


def step_memory(name: str, setting: Setting) -> float:
    """Bytes for each edge that a training step takes at most, after a smaller one; runs in a process of its own."""
    torch.set_num_threads(1)
    events = poisson_events(setting.batch, seed=1)
    known = forms()
    if name in known:
        contender = ours(setting.size, events, EVENTS, known[name])
    else:
        contender = next(iter(others(setting.size, events, EVENTS, [PACKAGES[name]]).values()))
    step, rows = contender.trainer(), torch.arange(events.n_graph)
    step(*contender.collate(rows[: max(len(rows) // 8, 2)]))
    return peak(lambda: step(*contender.collate(rows))) / events.n_edge


def results(bench: Bench) -> Iterator[Row | LeftOut]:
    """Each of our forms against each of the others; something is asked of the compiled one that recomputes."""
    for package in PACKAGES.values():
        if not installed(package):
            yield LeftOut(what=f"the comparison with {package}", reason=f"{package} is not installed")
    if not sys.platform.startswith("linux"):
        yield LeftOut(what="peak memory", reason="it is read from /proc")
        return
    setting = QUICK[0] if bench.quick else BASE
    mine, theirs = list(forms()), [name for name, package in PACKAGES.items() if installed(package)]
    n_process = 1 if bench.quick else N_PROCESS
    each = {name: [watched(step_memory, name, setting).result for _ in range(n_process)] for name in [*mine, *theirs]}
    for name in mine:
        for other in theirs:
            asked = TARGET if (name, other) == (f"{COMPILED}, {RECOMPUTING}", "dgl") else None
            yield Row.spread(
                ratios(each[other], each[name]),
                what=f"peak memory of a training step, {setting}",
                ours=name,
                reference=other,
                target=asked,
                unit="bytes/edge",
                rates={one: Spread.of(each[one]).median for one in (name, other)},
            )


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__))
