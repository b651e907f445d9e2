"""The event network (encode, process, decode) beside straightforward implementations in DGL and PyTorch Geometric.

Same weights.

    python benchmarks/graph_network.py --out graph_network.json

Four steps with shared weights, as published (`configs/pretrain_multiclass_faithful.yaml`). Theirs: a graph for each
event made beforehand with stored inputs of nodes and edges, batched in each step. Ours: a batch of rows from the arrays
of all events, edges and their features on the fly. Logits, and the gradient of the loss in all weights, are compared
before. Training is collation, forward, backward and fused AdamW, inference collation and forward; collation is measured
alone as well. Graphs come in another random order in every run. `of the limit` is the least number of floating-point
operations for the exact result, at the speed that `torch.mm` has in the same rounds, over the time taken.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from events import EVENTS, poisson_events, simulated_events
from graph_networks import RECOMPUTING, Contender, Network, Size, forms, others, ours, work
from torch import Tensor

from root_gnn.bench.case import Bench, UnequalError, Work, agree, installed, run_case
from root_gnn.bench.row import LeftOut, Row
from root_gnn.bench.timing import Run
from root_gnn.graph.batch import Batch

TOLERANCE = 1e-5
GRADIENT_ERROR, FURTHER = (
    1e-3,
    3.0,
)  # of the size of the gradient in float64; how much further from it than the furthest of the others
N_ORDER = 512  # so many that no kernel made for the size of one batch serves another
PACKAGES = {"dgl": "dgl", "pyg": "torch_geometric"}
COMPILED = "compiled"


@dataclass(frozen=True)
class Setting:
    """One size of network and batch, on which events, and what is asked of the native form and of the compiled one."""

    size: Size
    batch: int
    events: str = "poisson"
    training: dict[str, float] | None = None
    inference: dict[str, float] | None = None

    def __str__(self) -> str:
        which = "multiplicities of Poisson(9) in 2 to 25" if self.events == "poisson" else "simulated events"
        return f"hidden {self.size.dim}, {self.size.n_layer} layers, batch {self.batch}, {which}"


BASE = Setting(Size(64, 4), 1024, training={"native": 1.6, COMPILED: 3.0}, inference={"native": 1.6, COMPILED: 3.2})
ASKED = (
    BASE,
    Setting(Size(128, 4), 1024, training={COMPILED: 2.2}, inference={COMPILED: 2.0}),
    Setting(Size(64, 2), 1024, training={COMPILED: 3.8}, inference={COMPILED: 3.8}),
)
BESIDE = (
    Setting(Size(64, 4), 1024, "simulated"),
    Setting(Size(64, 4), 256),
    Setting(Size(64, 4), 2048),
    Setting(Size(128, 4), 256),
    Setting(Size(128, 4), 2048),
    Setting(Size(128, 2), 1024),
)
QUICK = (Setting(Size(16, 2), 24), Setting(Size(16, 2), 24, "simulated"))
LIMITS = {"training": {COMPILED: 0.55}, "inference": {COMPILED: 0.60}}


def contenders(setting: Setting, data_dir: Path | None) -> tuple[Batch, dict[str, Contender], dict[str, Contender]]:
    """The events, our forms (at the base setting those that recompute, too) and the others."""
    events = events_of(setting, data_dir)
    chosen = {name: form for name, form in forms().items() if setting in (BASE, *QUICK) or RECOMPUTING not in name}
    mine = {name: ours(setting.size, events, EVENTS, form) for name, form in chosen.items()}
    return (
        events,
        mine,
        others(setting.size, events, EVENTS, [package for package in PACKAGES.values() if installed(package)]),
    )


def events_of(setting: Setting, data_dir: Path | None) -> Batch:
    """Twice as many events as are in a batch."""
    n_event = 2 * setting.batch
    return (
        poisson_events(n_event, seed=1) if setting.events == "poisson" else simulated_events(n_event, data_dir, seed=1)
    )


def check(setting: Setting, events: Batch, everyone: dict[str, Contender]) -> float:
    """The largest difference of logits from those in float64; raises UnequalError where logits or gradients are wrong.

    In float32 a ReLU close to 0 falls on either side, and takes a summand of the gradient with it, in every
    implementation. So that of the gradients is wrong which is further from float64 than thrice the furthest of the
    other libraries' (or 1e-3 of its size).
    """
    rows = torch.argsort(events.n_node[: setting.batch], stable=True)  # in this order ours are not sorted again
    exact = everyone["native"].exact()
    batch, labels = exact.collate(rows)
    logits, gradient = exact.logits(batch), exact.gradient(batch, labels)
    differences, apart = [], {}
    for name, one in everyone.items():
        batch, labels = one.collate(rows)
        differences.append(agree(f"{setting}, {name}", one.logits(batch), logits, TOLERANCE))
        apart[name] = float((one.gradient(batch, labels) - gradient).norm() / gradient.norm())
    allowed = max([GRADIENT_ERROR, *(FURTHER * apart[name] for name in PACKAGES if name in apart)])
    for name, error in apart.items():
        if not error <= allowed:
            raise UnequalError(
                f"{setting}, {name}: the gradient is off by {error:.1e} of its size, {allowed:.0e} is allowed; nothing "
                "is timed"
            )
    return max(differences)


def orders(setting: Setting, events: Batch) -> Iterator[Tensor]:
    """The rows of one batch after another, for ever."""
    generator = torch.Generator().manual_seed(1)
    drawn = [torch.randperm(events.n_graph, generator=generator)[: setting.batch] for _ in range(N_ORDER)]
    return itertools.cycle(drawn)


def training(setting: Setting, events: Batch, contender: Contender) -> Run:
    """A step on the next rows."""
    rows, step = orders(setting, events), contender.trainer()
    return lambda: step(*contender.collate(next(rows)))


def inference(setting: Setting, events: Batch, contender: Contender) -> Run:
    """Logits of the next rows."""
    rows = orders(setting, events)
    return lambda: contender.logits(contender.collate(next(rows))[0])


def collation(setting: Setting, events: Batch, contender: Contender) -> Run:
    """The next batch, and nothing with it."""
    rows = orders(setting, events)
    return lambda: contender.collate(next(rows))


def measure(bench: Bench, setting: Setting) -> Iterator[Row]:
    """Training and inference of everyone, and at the base setting collation alone."""
    events, mine, theirs = contenders(setting, bench.data_dir)
    everyone = {**mine, **theirs}
    difference = check(setting, events, everyone)
    mean = work(setting.size, events, Network(setting.size, events, EVENTS))
    share = setting.batch / events.n_graph
    kinds: dict[str, tuple[Callable[[Setting, Batch, Contender], Run], float, dict[str, float] | None]] = {
        "training": (training, mean.training * share, setting.training),
        "inference": (inference, mean.forward * share, setting.inference),
    }
    for kind, (make, operations, targets) in kinds.items():
        runs = {name: make(setting, events, contender) for name, contender in everyone.items()}
        limits = LIMITS[kind] if setting is BASE else None
        yield from bench.compare(
            f"{kind}, {setting}",
            runs,
            ours=list(mine),
            amount=setting.batch,
            unit="events",
            difference=difference,
            targets=targets,
            work=dict.fromkeys(mine, Work(operations, setting.size.dim)),
            limit_targets=limits,
        )
    if setting in (BASE, *QUICK):
        runs = {
            name: collation(setting, events, contender)
            for name, contender in {"native": mine["native"], **theirs}.items()
        }
        yield from bench.compare(
            f"collation, {setting}", runs, ours=["native"], amount=setting.batch, unit="events", difference=difference
        )


def results(bench: Bench) -> Iterator[Row | LeftOut]:
    """All settings; with the default allocator, or in haste, fewer."""
    for package in PACKAGES.values():
        if not installed(package):
            yield LeftOut(what=f"the comparison with {package}", reason=f"{package} is not installed")
    if COMPILED not in forms():
        yield LeftOut(what="the compiled form", reason="it is not built here")
    settings = QUICK if bench.quick else ASKED + (BESIDE if bench.thorough else ())
    for setting in settings:
        yield from measure(bench, setting)


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__))
