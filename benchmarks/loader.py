"""Reading batches: root_gnn's loader beside weaver-core's on the same ROOT file.

Beside graphs built event by event.

    python benchmarks/loader.py                          (the repository's simulated events, resampled to 50,000)
    python benchmarks/loader.py --data-dir DIR           (the standard ntuples in a folder)

Batches of 1,024; whole epochs, from asking for the first batch to the last, by the clock on the wall. Against weaver
(0.5, `SimpleIterDataset`) both give seven features of up to 25 objects as `(batch, feature, object)` with a mask and
the label, shuffled. Before anything is timed the padded batches are compared, and a shuffled epoch of the ragged ones
with the branches of the file. Weaver is taken three ways: as it comes (`fetch_step` 0.01, a hundredth of the file at a
time), with all events at once (`fetch_step` 1, which reads the file into memory at the beginning of each epoch), and in
an epoch after the first with `in_memory`, where it reads nothing any more. How fast it is as it comes depends on the
file: nanoAOD is compressed with LZMA and closes its baskets every 30 MB, which is all of these events (the defaults
here); `root-gnn simulate` uses ZSTD and 10,000 events a basket (`--compression ZSTD --basket 10000`). Against DGL and
PyG ours are ragged batches, theirs complete graphs with three features on each edge, made one by one and then batched,
as the published systems make them: from the events of the file, and from tensors of nodes that are in memory already.
`root_gnn, with edges` makes the edges and their features for the whole batch at once, which training does inside of the
network. This is measured with the tuned allocator alone. Where there is a GPU, the copies of ragged batches to it are
measured apart and with reading.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import torch
import uproot
from resample import resample, simulated_files
from torch import Tensor

from root_gnn.bench.case import Bench, agree, installed, run_case
from root_gnn.bench.row import LeftOut, Row
from root_gnn.bench.timing import Run, Spread, alternate
from root_gnn.data.cache.prepare import prepare_shards
from root_gnn.data.events.dense import Dense, dense, dense_loader
from root_gnn.data.events.loader import train_loader
from root_gnn.data.events.table import EventTable
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.graph.batch import Batch

BATCH, LENGTH = 1024, 25
LEVELS = {"LZMA": 9, "ZLIB": 1, "ZSTD": 5}
N_BUILT = 2  # batches of graphs made one by one
N_EVENT, N_SMALL = 50_000, 600
RAGGED, EDGES, PADDED, PINNED = "root_gnn", "root_gnn, with edges", "root_gnn", "root_gnn, page-locked, not waiting"
FEATURES = ("pt", "eta", "phi", "energy", "btag", "charge", "kind")
SPEC = {
    "name": "objects",
    "source": {"name": "root", "tree": "Events"},
    "node_features": [*FEATURES, "type"],
    "nodes": {"object": {"type": 0, "features": {name: f"part_{name}" for name in FEATURES}}},
    "label": {"branch": "label_sig", "classes": {"background": 0, "signal": 1}},
}
Padded = tuple[Tensor, Tensor, Tensor]


def write_objects(files: Sequence[Path], paths: Sequence[Path], n_event: int, **form: Any) -> None:
    """All objects of each event as one list per feature, with a label of two branches.

    Files that both loaders understand.
    """
    with tempfile.TemporaryDirectory() as folder:
        larger = Path(folder) / "events.root"
        resample(files, larger, n_event, seed=1)
        spec = load_spec("events")
        shard = prepare_shards(spec, [larger], data_dir=Path(folder))[larger]
        count = np.diff(shard.offsets)
        signal = (np.arange(n_event) % 2).astype(np.int32)
        columns = {
            f"part_{name}": ak.unflatten(np.ascontiguousarray(shard.nodes[:, place]), count)
            for place, name in enumerate(FEATURES)
        }
        columns |= {"label_sig": signal, "label_bkg": 1 - signal}
        for place, path in enumerate(paths):
            part = slice(place * n_event // len(paths), (place + 1) * n_event // len(paths))
            write_tree(path, {name: column[part] for name, column in columns.items()}, **form)


def write_tree(path: Path, columns: dict[str, Any], *, basket: int, compression: str) -> None:
    """A TTree with `basket` events in each basket."""
    with uproot.recreate(path, compression=getattr(uproot, compression)(LEVELS[compression])) as file:
        types = {
            name: column.type.content if isinstance(column, ak.Array) else column.dtype
            for name, column in columns.items()
        }
        file.mktree("Events", types)
        for start in range(0, len(columns["label_sig"]), basket):
            stop = start + basket
            file["Events"].extend({name: ak.to_packed(column[start:stop]) for name, column in columns.items()})


def weaver_config(path: Path) -> Path:
    """The same inputs in weaver's language."""
    lines = ["treename: Events", "selection:", "new_variables:", "   part_mask: ak.ones_like(part_pt)"]
    lines += ["preprocess:", "  method: manual", "inputs:"]
    for name, variables in {"feat": [f"part_{name}" for name in FEATURES], "mask": ["part_mask"]}.items():
        lines += [f"   {name}:", f"      length: {LENGTH}", "      pad_mode: constant", "      vars:"]
        lines += [f"         - [{each}, null]" for each in variables]
    lines += ["labels:", "   type: simple", "   value: [label_bkg, label_sig]", "observers:", "weights:"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def padded(batch: Dense) -> Padded:
    """Features `(n_graph, n_feature, LENGTH)`, mask `(n_graph, 1, LENGTH)` and label, as weaver returns them."""
    return batch.features[:, : len(FEATURES)], batch.mask, batch.label


class Loaders:
    """The same files open in both."""

    def __init__(self, paths: Sequence[Path], n_event: int) -> None:
        self.paths = list(map(str, paths))
        self.config = str(weaver_config(paths[0].with_name("weaver.yaml")))
        spec: Spec = load_spec(SPEC)
        self.table = EventTable(
            list(prepare_shards(spec, paths, data_dir=paths[0].parent).values()), spec, classes=("background", "signal")
        )
        self.index = np.arange(n_event)
        self.epoch = 0

    def ours(self, n_event: int | None = None, *, pinned: bool = False) -> Iterator[Batch]:
        """A shuffled epoch of ragged batches, of the first `n_event` events; `pinned` in page-locked memory."""
        self.epoch += 1
        return iter(train_loader(self.table, self.index[:n_event], BATCH, seed=self.epoch, pin_memory=pinned))

    def ours_padded(self) -> Iterator[Padded]:
        """A shuffled epoch of padded batches."""
        self.epoch += 1
        return map(padded, dense_loader(self.table, self.index, BATCH, length=LENGTH, seed=self.epoch))

    def in_order(self) -> Iterator[Padded]:
        """Padded batches in the order of the file."""
        pieces = (self.index[first : first + BATCH] for first in range(0, len(self.index), BATCH))
        return (padded(dense(self.table, rows, LENGTH)) for rows in pieces)

    def weaver(self, *, shuffled: bool = True, **options: Any) -> Iterator[Padded]:
        """Epochs of weaver's loader."""
        from weaver.utils.dataset import SimpleIterDataset

        dataset = SimpleIterDataset({"a": self.paths}, self.config, for_training=shuffled, **options)
        for features, labels, _ in torch.utils.data.DataLoader(dataset, batch_size=BATCH, drop_last=False):
            yield features["feat"], features["mask"], labels["_label_"]


def finish(batches: Iterator[Any], n_event: int) -> None:
    """Takes batches until as many events have come; weaver in memory never ends by itself."""
    n_seen = 0
    for batch in batches:
        n_seen += batch.n_graph if isinstance(batch, Batch) else len(batch[2])
        if n_seen >= n_event:
            return


def check(loaders: Loaders) -> float:
    """The largest difference of weaver's batches and ours, in the order of the file.

    Raises UnequalError where there is any.
    """
    theirs = loaders.weaver(shuffled=False, fetch_step=1)
    differences = [
        agree(f"padded batch {place}", a.float(), b.float(), 0.0)
        for place, (mine, other) in enumerate(zip(loaders.in_order(), theirs, strict=False))
        for a, b in zip(mine, other, strict=True)
    ]
    return max(differences)


def dgl_batch(events: Iterator[Tensor]) -> Any:
    """One `dgl.graph` per event, batched."""
    import dgl

    made = []
    for nodes in events:
        senders, receivers = pairs_of(nodes)
        graph = dgl.graph((senders, receivers), num_nodes=len(nodes))
        graph.ndata["feat"] = nodes
        graph.edata["feat"] = edge_features(nodes, senders, receivers)
        made.append(graph)
    return dgl.batch(made)


def pyg_batch(events: Iterator[Tensor]) -> Any:
    """One `Data` per event, batched."""
    from torch_geometric.data import Batch as Batched
    from torch_geometric.data import Data

    made = []
    for nodes in events:
        senders, receivers = pairs_of(nodes)
        made.append(
            Data(
                x=nodes,
                edge_index=torch.stack([senders, receivers]),
                edge_attr=edge_features(nodes, senders, receivers),
            )
        )
    return Batched.from_data_list(made)


def pairs_of(nodes: Tensor) -> tuple[Tensor, ...]:
    """Senders and receivers of a complete graph."""
    receivers, senders = (~torch.eye(len(nodes), dtype=torch.bool)).nonzero(as_tuple=True)
    return senders, receivers


def edge_features(nodes: Tensor, senders: Tensor, receivers: Tensor) -> Tensor:
    """Delta eta, delta phi and delta R of each edge, `(n_edge, 3)`."""
    delta_eta = nodes[senders, 1] - nodes[receivers, 1]
    delta_phi = torch.remainder(nodes[senders, 2] - nodes[receivers, 2] + torch.pi, 2 * torch.pi) - torch.pi
    return torch.stack([delta_eta, delta_phi, torch.hypot(delta_eta, delta_phi)], dim=1)


def from_tensors(loaders: Loaders, build: Callable[..., Any]) -> Run:
    """Each event's graph made on its own, from tensors of nodes."""
    batches = [batch.nodes.split(batch.n_node.tolist()) for batch in loaders.ours(N_BUILT * BATCH)]

    def run() -> None:
        for events in batches:
            build(iter(events))

    return run


def from_file(loaders: Loaders, build: Callable[..., Any]) -> Run:
    """Each event's graph made on its own, from the branches of the file."""
    branches = [f"part_{name}" for name in FEATURES]

    def run() -> None:
        with uproot.open(loaders.paths[0]) as file:
            for place in range(-(-min(N_BUILT * BATCH, len(loaders.index)) // BATCH)):
                events = file["Events"].arrays(branches, entry_start=place * BATCH, entry_stop=(place + 1) * BATCH)
                build(
                    torch.from_numpy(np.stack([ak.to_numpy(event[name]) for name in branches], axis=1))
                    for event in events
                )

    return run


def with_edges(batch: Batch) -> Batch:
    """The pairs and their three features, for the whole batch at once."""
    senders, receivers = batch.edge_index()
    return batch.replace(senders=senders, receivers=receivers, edges=edge_features(batch.nodes, senders, receivers))


def check_graphs(loaders: Loaders, name: str, build: Callable[..., Any]) -> float:
    """Returns the largest difference of nodes and edges in a batch; raises UnequalError where there is any."""
    mine = loaders.table.gather(loaders.index[:BATCH])
    theirs = build(iter(mine.nodes.split(mine.n_node.tolist())))
    nodes, edges = (theirs.ndata["feat"], theirs.edata["feat"]) if name == "DGL" else (theirs.x, theirs.edge_attr)
    own = edge_features(mine.nodes, *mine.edge_index())
    return max(agree(f"nodes of {name}", mine.nodes, nodes, 0.0), agree(f"edges of {name}", own, edges, 0.0))


def in_memory(loaders: Loaders) -> Run:
    """An epoch of an iterator of weaver's that has everything in memory; it begins again by itself."""
    batches, n_event = loaders.weaver(fetch_step=1, in_memory=True), len(loaders.index)
    finish(batches, n_event)
    return lambda: finish(batches, n_event)


def against_weaver(bench: Bench, loaders: Loaders) -> Iterator[Row]:
    """Padded batches."""
    n_event, difference = len(loaders.index), check(loaders)
    theirs: dict[str, tuple[Run, float]] = {
        "weaver, as it comes (fetch_step 0.01)": (lambda: finish(loaders.weaver(), n_event), 250.0),
        "weaver, all at once (fetch_step 1)": (lambda: finish(loaders.weaver(fetch_step=1), n_event), 25.0),
        "weaver, in memory since the epoch before": (in_memory(loaders), 25.0),
    }
    for name, (run, target) in theirs.items():
        yield from bench.compare(
            f"padded, {n_event:,} events",
            {PADDED: lambda: finish(loaders.ours_padded(), n_event), name: run},
            ours=[PADDED],
            amount=n_event,
            unit="events",
            difference=difference,
            targets=target,
            clock=time.perf_counter,
            warm_up=0,
        )


def against_graphs(bench: Bench, loaders: Loaders, name: str, build: Callable[..., Any]) -> Iterator[Row]:
    """Ragged batches, of as many events as graphs are made one by one."""
    n_event, difference = min(N_BUILT * BATCH, len(loaders.index)), check_graphs(loaders, name, build)
    ours: dict[str, Run] = {
        RAGGED: lambda: finish(loaders.ours(n_event), n_event),
        EDGES: lambda: finish(map(with_edges, loaders.ours(n_event)), n_event),
    }
    for what, run in {"file": from_file(loaders, build), "tensors": from_tensors(loaders, build)}.items():
        yield from bench.compare(
            f"ragged, {n_event:,} events",
            {**ours, f"{name} per event, from the {what}": run},
            ours=list(ours),
            amount=n_event,
            unit="events",
            difference=difference,
            clock=time.perf_counter,
        )


def check_ragged(loaders: Loaders) -> float:
    """The largest difference of a shuffled epoch and the branches of the file, event by event.

    Raises UnequalError where there is any.
    """
    with uproot.open(loaders.paths[0]) as file:
        branches = file["Events"].arrays([*(f"part_{name}" for name in FEATURES), "label_sig"], library="ak", how=dict)
    label, seen, difference = torch.from_numpy(ak.to_numpy(branches.pop("label_sig"))), [], 0.0
    for place, batch in enumerate(loaders.ours()):
        assert batch.ids is not None
        seen.append(batch.ids[:, -1])  # the entry of the file
        entries = seen[-1].numpy()
        theirs = torch.from_numpy(
            np.stack([ak.to_numpy(ak.flatten(branch[entries])) for branch in branches.values()], axis=1)
        )
        difference = max(difference, agree(f"ragged batch {place}", batch.nodes[:, : len(FEATURES)], theirs, 0.0))
        agree(f"labels of ragged batch {place}", batch.labels["label"], label[entries], 0.0)
    n_node = ak.to_numpy(ak.num(next(iter(branches.values()))))
    agree("entries of an epoch", torch.cat(seen).sort().values, torch.from_numpy(np.flatnonzero(n_node)), 0.0)
    return difference


def ragged_rate(bench: Bench, loaders: Loaders) -> Row:
    """Events per second of whole shuffled epochs, as a figure of its own."""
    n_event, difference = len(loaders.index), check_ragged(loaders)
    seconds = alternate({RAGGED: lambda: finish(loaders.ours(), n_event)}, bench.rounds)[RAGGED]
    rates = Spread.of([n_event / each for each in seconds])
    return Row.spread(
        rates,
        what=f"ragged, {n_event:,} events, random order",
        unit="events/s",
        rates={},
        target=1e6,
        max_difference=difference,
    )


def to_device(bench: Bench, loaders: Loaders) -> Iterator[Row | LeftOut]:
    """What page-locked memory and copies that do not wait gain on the way to a GPU.

    The copies apart, and with the loader.
    """
    if not torch.cuda.is_available():
        yield LeftOut(what="copies to a device", reason="there is no CUDA device, and on a CPU nothing is copied")
        return
    n_event = min(N_BUILT * BATCH, len(loaders.index))
    ordinary = list(loaders.ours(n_event))
    locked = [batch.pin_memory() for batch in ordinary]
    there = [batch.to("cuda", non_blocking=True) for batch in locked]
    difference = max(
        agree("copied nodes", mine.nodes, one.nodes.cpu(), 0.0) for mine, one in zip(ordinary, there, strict=True)
    )
    kinds: dict[str, tuple[Run, Run]] = {
        "copies to the GPU": (lambda: copy(locked, waits=False), lambda: copy(ordinary, waits=True)),
        "reading and copies to the GPU": (
            lambda: copy(loaders.ours(n_event, pinned=True), waits=False),
            lambda: copy(loaders.ours(n_event), waits=True),
        ),
    }
    for what, (mine, other) in kinds.items():
        yield from bench.compare(
            f"{what}, {n_event:,} events",
            {PINNED: mine, "ordinary memory, waiting": other},
            ours=[PINNED],
            amount=n_event,
            unit="events",
            difference=difference,
            clock=time.perf_counter,
        )


def copy(batches: Iterable[Batch], *, waits: bool) -> None:
    """Batches to the GPU, until the last is there."""
    for batch in batches:
        batch.to("cuda", non_blocking=not waits)
    torch.cuda.synchronize()


def results(bench: Bench) -> Iterator[Row | LeftOut]:
    """What is installed."""
    n_event = N_SMALL if bench.quick else bench.options.events
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "objects.root"]
        form = {"basket": bench.options.basket, "compression": bench.options.compression}
        write_objects(simulated_files(bench.data_dir), paths, n_event, **form)
        loaders = Loaders(paths, n_event)
        yield ragged_rate(bench, loaders)
        yield from to_device(bench, loaders)
        if installed("weaver"):
            yield from against_weaver(bench, loaders)
        for package, name, build in (("dgl", "DGL", dgl_batch), ("torch_geometric", "PyG", pyg_batch)):
            if installed(package) and (bench.thorough or bench.quick):
                yield from against_graphs(bench, loaders, name, build)
    for package in ("weaver", "dgl", "torch_geometric"):
        if not installed(package):
            yield LeftOut(what=f"the comparison with {package}", reason=f"{package} is not installed")


def arguments(parser: argparse.ArgumentParser) -> None:
    """How large the file is and how it is written."""
    parser.add_argument("--events", type=int, default=N_EVENT)
    parser.add_argument("--basket", type=int, default=100_000, help="events in a basket of the ROOT file")
    parser.add_argument("--compression", choices=list(LEVELS), default="LZMA", help="of the ROOT file")


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__, arguments=arguments))
