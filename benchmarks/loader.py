"""Reading batches: root_gnn's loader beside weaver-core's on the same ROOT file, and beside graphs built event by event.

    python benchmarks/loader.py                     (the repository's simulated events, resampled to 100,000)
    python benchmarks/loader.py ntuple.root ...     (standard ntuples)

All run in this process on one core, in alternating rounds, with batches of 1,024; whole epochs, from asking for the first batch to
the last. Against weaver (0.5, `SimpleIterDataset`) both give seven features of up to 25 objects as `(batch, feature, object)` with a
mask and the label, shuffled. The padded batches are compared before they are timed. Weaver is taken three ways: as it comes
(`fetch_step` 0.01, a hundredth of the file at a time), with all events at once (`fetch_step` 1, which reads the file into memory at the
beginning of each epoch), and in an epoch after the first with `in_memory`, where it reads nothing any more. How fast it is as it comes
depends on the file: nanoAOD is compressed with LZMA and closes its baskets every 30 MB, which is all of these events (the defaults
here); `root-gnn simulate` uses ZSTD and 10,000 events a basket (`--compression ZSTD --basket 10000`).
Against DGL and PyG ours are ragged batches, theirs complete graphs with three features on each edge, made one by one and then
batched, as the published systems make them: from the events of the file, and from tensors of nodes that are in memory already.
`root_gnn, ragged, with edges` makes the edges and their features for the whole batch at once, which training does inside of the
network. Cases whose package is not installed are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import torch
import uproot
from resample import fixtures, resample
from torch import Tensor

from root_gnn.console import set_verbosity
from root_gnn.data.dense import Dense, dense, dense_loader
from root_gnn.data.loader import train_loader
from root_gnn.data.prepare import prepare
from root_gnn.data.spec import Spec, load_spec
from root_gnn.data.table import EventTable
from root_gnn.graph.batch import Batch

BATCH, LENGTH = 1024, 25
LEVELS = {"LZMA": 9, "ZLIB": 1, "ZSTD": 5}
N_BUILT = 4  # batches of graphs made one by one
RAGGED, EDGES, PADDED = "root_gnn, ragged", "root_gnn, ragged, with edges", "root_gnn, padded"
FEATURES = ("pt", "eta", "phi", "energy", "btag", "charge", "kind")
SPEC = {
    "name": "objects", "source": {"name": "root", "tree": "Events"}, "node_features": [*FEATURES, "type"],
    "nodes": {"object": {"type": 0, "features": {name: f"part_{name}" for name in FEATURES}}},
    "label": {"branch": "label_sig", "classes": {"background": 0, "signal": 1}},
}
Padded = tuple[Tensor, Tensor, Tensor]
Measure = Callable[[], float]


def write_objects(files: Sequence[Path], paths: Sequence[Path], n_event: int, **form: Any) -> None:
    """All objects of each event as one list per feature, with a label of two branches: files that both loaders understand."""
    with tempfile.TemporaryDirectory() as folder:
        larger = Path(folder) / "events.root"
        resample(files, larger, n_event, seed=1)
        spec = load_spec("events")
        shard = prepare(spec, [larger], data_dir=Path(folder))[larger]
        count = np.diff(shard.offsets)
        signal = (np.arange(n_event) % 2).astype(np.int32)
        columns = {f"part_{name}": ak.unflatten(np.ascontiguousarray(shard.nodes[:, place]), count) for place, name in enumerate(FEATURES)}
        columns |= {"label_sig": signal, "label_bkg": 1 - signal}
        for place, path in enumerate(paths):
            part = slice(place * n_event // len(paths), (place + 1) * n_event // len(paths))
            write_tree(path, {name: column[part] for name, column in columns.items()}, **form)


def write_tree(path: Path, columns: dict[str, Any], *, basket: int, compression: str) -> None:
    """A TTree with `basket` events in each basket."""
    with uproot.recreate(path, compression=getattr(uproot, compression)(LEVELS[compression])) as file:
        types = {name: column.type.content if isinstance(column, ak.Array) else column.dtype for name, column in columns.items()}
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
        self.table = EventTable(list(prepare(spec, paths, data_dir=paths[0].parent).values()), spec, classes=("background", "signal"))
        self.index = np.arange(n_event)
        self.epoch = 0

    def ours(self) -> Iterator[Batch]:
        """A shuffled epoch of ragged batches."""
        self.epoch += 1
        return iter(train_loader(self.table, self.index, BATCH, seed=self.epoch))

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


def rate(batches: Iterator[Any], n_event: int) -> float:
    """Events per second of an epoch, from asking for the first batch to the last."""
    start, n_seen = time.perf_counter(), 0
    for batch in batches:
        n_seen += batch.n_graph if isinstance(batch, Batch) else len(batch[2])
        if n_seen >= n_event:
            break
    return n_seen / (time.perf_counter() - start)


def check(loaders: Loaders) -> None:
    """Raises SystemExit where weaver's batches and ours differ, in the order of the file."""
    theirs = loaders.weaver(shuffled=False, fetch_step=1)
    for place, (mine, other) in enumerate(zip(loaders.in_order(), theirs, strict=False)):
        if not all(torch.equal(a.float(), b.float()) for a, b in zip(mine, other, strict=True)):
            raise SystemExit(f"the padded batches {place} differ")


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
        made.append(Data(x=nodes, edge_index=torch.stack([senders, receivers]), edge_attr=edge_features(nodes, senders, receivers)))
    return Batched.from_data_list(made)


def pairs_of(nodes: Tensor) -> tuple[Tensor, ...]:
    """Senders and receivers of a complete graph."""
    return (~torch.eye(len(nodes), dtype=torch.bool)).nonzero(as_tuple=True)


def edge_features(nodes: Tensor, senders: Tensor, receivers: Tensor) -> Tensor:
    """Delta eta, delta phi and delta R of each edge, `(n_edge, 3)`."""
    delta_eta = nodes[senders, 1] - nodes[receivers, 1]
    delta_phi = torch.remainder(nodes[senders, 2] - nodes[receivers, 2] + torch.pi, 2 * torch.pi) - torch.pi
    return torch.stack([delta_eta, delta_phi, torch.hypot(delta_eta, delta_phi)], dim=1)


def from_tensors(loaders: Loaders, build: Callable[..., Any]) -> float:
    """Events per second where each event's graph is made on its own, from tensors of nodes."""
    batches = [batch.nodes.split(batch.n_node.tolist()) for _, batch in zip(range(N_BUILT), loaders.ours(), strict=False)]
    start = time.perf_counter()
    for events in batches:
        build(iter(events))
    return sum(map(len, batches)) / (time.perf_counter() - start)


def from_file(loaders: Loaders, build: Callable[..., Any]) -> float:
    """Events per second where each event's graph is made on its own, from the branches of the file."""
    start, n_event = time.perf_counter(), 0
    with uproot.open(loaders.paths[0]) as file:
        for place in range(N_BUILT):
            branches = [f"part_{name}" for name in FEATURES]
            events = file["Events"].arrays(branches, entry_start=place * BATCH, entry_stop=(place + 1) * BATCH)
            build(torch.from_numpy(np.stack([ak.to_numpy(event[name]) for name in branches], axis=1)) for event in events)
            n_event += len(events)
    return n_event / (time.perf_counter() - start)


def with_edges(batch: Batch) -> Batch:
    """The pairs and their three features, for the whole batch at once."""
    senders, receivers = batch.edge_index()
    edge_features(batch.nodes, senders, receivers)
    return batch


def cases(loaders: Loaders) -> dict[str, Measure]:
    """What is measured, by name, in events per second; only what is installed."""
    n_event = len(loaders.index)
    found: dict[str, Measure] = {
        RAGGED: lambda: rate(loaders.ours(), n_event),
        EDGES: lambda: rate(map(with_edges, loaders.ours()), n_event),
        PADDED: lambda: rate(loaders.ours_padded(), n_event),
    }
    if importlib.util.find_spec("weaver"):
        found["weaver, as it comes (fetch_step 0.01)"] = lambda: rate(loaders.weaver(), n_event)
        found["weaver, all at once (fetch_step 1)"] = lambda: rate(loaders.weaver(fetch_step=1), n_event)
        found["weaver, in memory since the epoch before"] = lambda: weaver_in_memory(loaders)
    for package, name, build in (("dgl", "DGL", dgl_batch), ("torch_geometric", "PyG", pyg_batch)):
        if importlib.util.find_spec(package):
            found[f"{name} per event, from the file"] = partial(from_file, loaders, build)
            found[f"{name} per event, from tensors"] = partial(from_tensors, loaders, build)
    return found


def weaver_in_memory(loaders: Loaders) -> float:
    """The second epoch of an iterator that keeps everything in memory; it begins again by itself."""
    batches = loaders.weaver(fetch_step=1, in_memory=True)
    rate(batches, len(loaders.index))
    return rate(batches, len(loaders.index))


def main() -> int:
    """Prints JSON and a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", help="standard ntuples to resample; without any those of the repository")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--basket", type=int, default=100_000, help="events in a basket of the ROOT file")
    parser.add_argument("--compression", choices=list(LEVELS), default="LZMA", help="of the ROOT file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    set_verbosity(-1)
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ROOT_GNN_CACHE"] = folder
        paths = [Path(folder) / f"objects{place}.root" for place in range(1)]
        write_objects(options.files or fixtures(), paths, options.events, basket=options.basket, compression=options.compression)
        loaders = Loaders(paths, options.events)
        measures = cases(loaders)
        if importlib.util.find_spec("weaver"):
            check(loaders)
        for place in range(options.rounds):
            for name in list(measures)[:: 1 if place % 2 else -1]:
                rates.setdefault(name, []).append(measures[name]())
    result = {name: {"events_per_s": statistics.median(values), "min": min(values), "max": max(values)} for name, values in rates.items()}
    for name, values in rates.items():
        ours = rates[RAGGED if "per event" in name or name.startswith("root_gnn, ragged") else PADDED]
        result[name]["ours_over_it"] = statistics.median(mine / other for mine, other in zip(ours, values, strict=True))
    sys.stdout.write(json.dumps(result, indent=1) + "\n\n| case | events/s (min to max) | root_gnn is faster by |\n|---|---|---|\n")
    for name in measures:
        of = result[name]
        sys.stdout.write(f"| {name} | {of['events_per_s']:,.0f} ({of['min']:,.0f} to {of['max']:,.0f}) | {of['ours_over_it']:.1f} |\n")
    for package in ("weaver", "dgl", "torch_geometric"):
        if importlib.util.find_spec(package) is None:
            sys.stdout.write(f"\n{package} is not installed; its cases are left out.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
