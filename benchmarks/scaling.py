"""How cost grows: reading with the number of events, training with the number of nodes.

    python benchmarks/scaling.py --out scaling.json

Reading: shuffled epochs of the first 10^4 to 10^7 events of one cache, which is made beforehand (2.5 GB in `TMPDIR`);
the exponent is fitted from 10^5 on, by the clock on the wall. That each event comes once in an epoch, as it was
written, is asserted before. Training: one step of the event network (hidden 64, 4 layers) on graphs of 4 to 256 nodes,
64,000 edges in each step; time for an edge, whose spread is the difference of its largest and smallest over their sum,
from 8 nodes on. Logits and gradients are compared before; forms that recompute are measured with the tuned allocator
alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from events import EVENTS, events_of, poisson_events
from graph_network import Setting
from graph_network import check as check_forms
from graph_networks import RECOMPUTING, Collate, Size, forms, ours
from torch import Tensor

from root_gnn.bench.case import Bench, agree, run_case
from root_gnn.bench.row import Row
from root_gnn.bench.timing import Run, Spread, alternate, exponent
from root_gnn.data.cache.shard import Shard, ShardWriter
from root_gnn.data.events.loader import train_loader
from root_gnn.data.events.table import EventTable
from root_gnn.data.reading.graphs import GraphArrays
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.graph.batch import Batch

BATCH, PIECE = 1024, 100_000
N_EVENT, FROM = (10_000, 100_000, 1_000_000, 10_000_000), 100_000
N_NODE, FROM_NODE, N_EDGE = (4, 8, 16, 32, 64, 128, 256), 8, 64_000
SMALL_EVENT, SMALL_NODE, SMALL_EDGE = (2_000, 4_000), (8, 16), 500
SPEC = {
    "name": "objects",
    "source": {"name": "root", "tree": "Events"},
    "node_features": EVENTS.nodes,
    "nodes": {"object": {"type": 0, "features": {name: name for name in EVENTS.nodes if name != "type"}}},
}


def write(folder: Path, spec: Spec, piece: Batch, n_event: int) -> Shard:
    """A shard of the events of a piece, again and again."""
    nodes, n_node = piece.nodes.numpy(), piece.n_node.numpy()
    weight = np.ones(len(n_node))
    with ShardWriter(folder, spec) as writer:
        for start in range(0, n_event, len(n_node)):
            ids = np.tile((start + np.arange(len(n_node)))[:, None], (1, len(spec.id_names)))
            writer.append(GraphArrays(nodes=nodes, n_node=n_node, ids=ids, weight=weight))
        return Shard(folder, writer.finish(source={"name": "objects.root"}, versions={}, metadata={}))


def epoch(table: EventTable, n_event: int) -> None:
    """All batches of the first events, in random order."""
    for _ in train_loader(table, np.arange(n_event), BATCH, seed=1):
        pass


def check(table: EventTable, piece: Batch, n_event: int) -> float:
    """The largest difference of an epoch of the first events and what was written.

    Raises UnequalError where there is any.
    """
    seen, difference = [], 0.0
    for batch in train_loader(table, np.arange(n_event), BATCH, seed=1):
        assert batch.ids is not None
        seen.append(batch.ids[:, -1])
        difference = max(
            difference, agree("events of an epoch", batch.nodes, piece.select(seen[-1] % piece.n_graph).nodes, 0.0)
        )
    agree("numbers of the events of an epoch", torch.cat(seen).sort().values, torch.arange(n_event), 0.0)
    return difference


def reading(bench: Bench) -> Row:
    """The exponent of the time of an epoch."""
    sizes = SMALL_EVENT if bench.quick else N_EVENT
    piece = poisson_events(min(PIECE, sizes[-1]), seed=1)
    with tempfile.TemporaryDirectory() as folder:
        spec = load_spec(SPEC)
        table = EventTable([write(Path(folder), spec, piece, sizes[-1])], spec)
        difference = max(check(table, piece, size) for size in sizes)
        runs = {f"{size:,}": partial(epoch, table, size) for size in sizes}
        seconds = alternate(runs, bench.rounds, clock=time.perf_counter)
    fitted = [size for size in sizes if size >= (FROM if not bench.quick else 0)]
    rounds = zip(*(seconds[f"{size:,}"] for size in fitted), strict=True)
    rates = {f"{size:,} events": size / Spread.of(seconds[f"{size:,}"]).median for size in sizes}
    return Row.spread(
        Spread.of([exponent(fitted, each) for each in rounds]),
        what=f"reading, {fitted[0]:,} to {fitted[-1]:,} events: exponent",
        between=(0.95, 1.05),
        unit="events/s",
        rates=rates,
        max_difference=difference,
    )


def training(bench: Bench) -> Iterator[Row]:
    """The spread of the time for an edge, in each of our forms."""
    size, counts = (Size(16, 2), SMALL_NODE) if bench.quick else (Size(64, 4), N_NODE)
    most = SMALL_EDGE if bench.quick else N_EDGE
    chosen = {name: form for name, form in forms().items() if bench.thorough or bench.quick or RECOMPUTING not in name}
    runs: dict[str, dict[str, Run]] = {name: {} for name in chosen}
    n_edge, difference = {}, 0.0
    for count in counts:
        events = events_of(np.full(max(1, most // (count * (count - 1))), count), np.random.default_rng(1))
        everyone = {name: ours(size, events, EVENTS, form) for name, form in chosen.items()}
        difference = max(
            difference, check_forms(Setting(size, events.n_graph, f"{count} nodes each"), events, everyone)
        )
        n_edge[str(count)] = events.n_edge
        for name, contender in everyone.items():
            runs[name][str(count)] = partial(step, contender.trainer(), contender.collate, torch.arange(events.n_graph))
    for name in chosen:
        seconds = alternate(runs[name], bench.rounds, clock=time.process_time)
        each = {count: [1e9 * value / n_edge[count] for value in values] for count, values in seconds.items()}
        fitted = [values for count, values in each.items() if int(count) >= FROM_NODE]
        yield Row.spread(
            Spread.of([(max(now) - min(now)) / (max(now) + min(now)) for now in zip(*fitted, strict=True)]),
            ours=name,
            what=f"training, {FROM_NODE} to {counts[-1]} nodes: spread of the time for an edge",
            between=(0.0, 0.25),
            unit="ns/edge",
            rates={f"{count} nodes": Spread.of(values).median for count, values in each.items()},
            max_difference=difference,
        )


def step(train: Callable[[Any, Tensor], None], collate: Collate, rows: Tensor) -> None:
    """One training step on all events."""
    train(*collate(rows))


def results(bench: Bench) -> Iterator[Row]:
    """Reading, then training in each of our forms."""
    yield reading(bench)
    yield from training(bench)


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__))
