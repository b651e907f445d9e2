"""Ten million events: what one epoch of shuffled reading takes of memory that is not a mapped file."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from root_gnn.data.cache.shard import ShardWriter
from root_gnn.data.reading.graphs import GraphArrays, graph_arrays, ragged_rows
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import Spec, load_spec

N_SHARD, N_EVENT, BLOCK = 10, 1_000_000, 250_000
GIB = 2**30

EPOCH = """
import json, pathlib, re, sys, threading
import numpy as np, torch
from root_gnn.data.cache.shard import Meta, Shard
from root_gnn.data.events.config import Split
from root_gnn.data.events.loader import train_loader
from root_gnn.data.spec.spec import load_spec
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.table import EventTable
from root_gnn.data.events.weights import training_weights

torch.set_num_threads(1)
status = pathlib.Path("/proc/self/status")
anonymous = lambda: 1024 * int(re.search(r"RssAnon:\\s+(\\d+) kB", status.read_text())[1])
imports, samples, done = anonymous(), [], threading.Event()

def watch():
    while not done.wait(0.005):
        samples.append(anonymous())

watcher = threading.Thread(target=watch)
watcher.start()
spec = load_spec("events").model_copy(update={"truth": {}})
folders = sorted(pathlib.Path(sys.argv[1]).iterdir())
shards = [Shard(folder, Meta.load(folder)) for folder in folders]
table = EventTable(shards, spec, classes=("a", "b"), shard_label=[0, 1] * (len(folders) // 2))
train = split_table(table, Split(train=0.8, validation=0.1, test=0.1)).train
loader = train_loader(table, train, 1024, seed=1, weights=training_weights(table, train, "signed"))
seen = np.zeros(len(table), dtype=np.int8)
for batch in loader:
    ids = batch.ids.numpy()
    seen[ids[:, 0] * int(sys.argv[2]) + ids[:, 1]] += 1
done.set()
watcher.join()
once = bool((seen[train[table.n_node[train] > 0]] == 1).all())
counts = {"n_seen": int(seen.sum()), "n_train": len(train)}
print(json.dumps({"imports": imports, "peak": max(samples), "once": once, **counts}))
"""


def write_shard(folder: Path, spec: Spec, drawn_from: GraphArrays, place: int) -> None:
    """Events drawn from a few real ones, with ids of their own."""
    folder.mkdir()
    rng = np.random.default_rng(place)
    first = np.cumsum(drawn_from.n_node) - drawn_from.n_node
    with ShardWriter(folder, spec) as writer:
        for start in range(0, N_EVENT, BLOCK):
            rows = rng.integers(0, len(first), BLOCK)
            ids = np.stack(
                [np.full(BLOCK, place), np.arange(start, start + BLOCK), np.zeros(BLOCK, dtype=np.int64)], axis=1
            )
            nodes = drawn_from.nodes[ragged_rows(first[rows], drawn_from.n_node[rows])]
            assert drawn_from.weight is not None
            writer.append(
                GraphArrays(nodes=nodes, n_node=drawn_from.n_node[rows], ids=ids, weight=drawn_from.weight[rows])
            )
        writer.finish(source={"name": folder.name}, versions={}, metadata={})


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_epoch_of_ten_million_events_takes_less_than_a_gibibyte(data_dir: Path, tmp_path: Path) -> None:
    spec = load_spec("events").model_copy(update={"truth": {}})
    few = graph_arrays(read(data_dir / "ttbar.root", spec), spec)
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:  # gigabytes: gone when the test is over
        for place in range(N_SHARD):
            write_shard(Path(folder) / f"{place:02d}", spec, few, place)
        command = [sys.executable, "-c", EPOCH, folder, str(N_EVENT)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    assert found["once"]
    assert found["n_seen"] == pytest.approx(0.8 * N_SHARD * N_EVENT, rel=0.01)
    assert found["peak"] - found["imports"] < GIB, found
