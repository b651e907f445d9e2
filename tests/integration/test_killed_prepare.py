"""`kill -9` at random moments of preparing, and two processes at once: the cache is that of an unbroken run, byte for
byte.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FILES = ("WH", "ZH", "ttH", "ttbar", "FCNC")
N_KILL = 20

# One process imports the library, then forks a child for each trial, so that the time goes into preparing.
TRIALS = """
import json, os, random, shutil, signal, sys, time
from pathlib import Path
from root_gnn.console import set_verbosity
from root_gnn.data.cache.prepare import prepare_shards
from root_gnn.data.spec.spec import load_spec

source, place, n_kill = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
spec, random_moment = load_spec("events"), random.Random(7)
set_verbosity(-1)


def run(folder):
    prepare_shards(spec, sorted(folder.glob("*.root")), data_dir=folder)


def contents(folder):
    cache = folder / ".root_gnn_cache"
    files = (p for p in sorted(cache.rglob("*")) if p.is_file() and p.suffix != ".lock")
    return {str(p.relative_to(cache)): p.read_bytes() for p in files}


def fresh(name):
    folder = place / name
    shutil.copytree(source, folder)
    return folder


whole = fresh("whole")
run(whole)  # the first time also loads what is loaded late
shutil.rmtree(whole / ".root_gnn_cache")
start = time.perf_counter()
run(whole)
duration = time.perf_counter() - start
expected, n_early, n_unfinished = contents(whole), 0, 0
for trial in range(n_kill):
    folder = fresh(str(trial))
    child = os.fork()
    if child == 0:
        run(folder)
        os._exit(0)
    time.sleep(random_moment.uniform(0, 1.1 * duration))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    cache = folder / ".root_gnn_cache"
    n_unfinished += len(list(cache.glob("*/meta.json"))) < len(list(whole.glob("*.root")))
    run(folder)
    assert contents(folder) == expected, trial
    shutil.rmtree(folder)
print(json.dumps({"unfinished": n_unfinished, "files": len(expected)}))
"""


@pytest.fixture
def source(tmp_path: Path, data_dir: Path) -> Path:
    """A data folder of its own; times of the files are part of the manifests, so copies keep them."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in FILES:
        shutil.copy2(data_dir / f"{name}.root", folder)
    return folder


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "ROOT_GNN_CACHE"}


def test_killed_at_twenty_moments_and_run_again(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", TRIALS, str(source), str(tmp_path), str(N_KILL)]
    found = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=300, check=False)
    assert found.returncode == 0, found.stderr
    said = json.loads(found.stdout)
    assert said["unfinished"] > N_KILL // 2  # most kills came before the end
    assert said["files"] == len(FILES) * 6  # nodes, offsets, ids, weight, truth and the manifest


def test_two_processes_at_once(source: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from root_gnn.data.cache.prepare import prepare_shards; from "
        "root_gnn.data.spec.spec import load_spec\n"
        "folder = Path(sys.argv[1]); print('ready', flush=True); sys.stdin.readline()\n"
        "shards = prepare_shards(load_spec('events'), sorted(folder.glob('*.root')), data_dir=folder)\n"
        "print(sum(shard.n_graph for shard in shards.values()), all(shard.damage() is None for shard in "
        "shards.values()))\n"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(source)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    ended = [process.communicate("\n", timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert ended[0][0] == ended[1][0] and ended[0][0].endswith("True\n")
    assert len(list(source.glob(".root_gnn_cache/*/meta.json"))) == len(FILES)
    assert not list(source.glob(".root_gnn_cache/.*"))
