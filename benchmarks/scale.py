"""Ten million events: memory while they are prepared and while an epoch is read, and how long both take.

    python benchmarks/scale.py --folder /a/disk/with/room            (10 files of 1,000,000 events; 14 GB of files and cache)
    python benchmarks/scale.py --folder ... --files 2 --events 100000 --jobs 2

The repository's simulated events are resampled with event numbers of their own. Preparing and reading run in processes of their
own, whose anonymous memory (RssAnon: mapped file pages not counted) and that of their children is sampled 50 times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from resample import fixtures, resample

MIB = 2**20
PREPARE = """
import sys, torch
from pathlib import Path
from root_gnn.data.prepare import prepare
from root_gnn.data.spec import load_spec
torch.set_num_threads(1)
if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    folder = Path(sys.argv[1])
    shards = prepare(load_spec("events"), sorted(folder.glob("*.root")), data_dir=folder, jobs=int(sys.argv[2]))
    print(sum(shard.n_graph for shard in shards.values()), flush=True)
"""
READ = """
import sys, torch
import numpy as np
from pathlib import Path
from root_gnn.data.loader import train_loader
from root_gnn.data.prepare import prepare
from root_gnn.data.spec import load_spec
from root_gnn.data.table import EventTable
torch.set_num_threads(1)
if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    folder, spec = Path(sys.argv[1]), load_spec("events")
    table = EventTable(list(prepare(spec, sorted(folder.glob("*.root")), data_dir=folder).values()), spec)
    n_event = sum(batch.n_graph for batch in train_loader(table, np.arange(len(table)), 1024, seed=1))
    print(n_event, flush=True)
"""


def measured(program: str, *arguments: Any) -> dict[str, float]:
    """Seconds, events, and anonymous memory in MiB: after the imports, and at most (children included)."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "program.py"  # a file, since processes that it starts import it
        script.write_text(program, encoding="utf-8")
        command = [sys.executable, str(script), *map(str, arguments)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            if process.stdin is None or process.stdout is None or not process.stdout.readline():
                raise SystemExit("the process that was to be measured did not start")
            imports, peak, start = anonymous(process.pid), 0, time.perf_counter()
            process.stdin.write("\n")
            process.stdin.flush()
            while process.poll() is None:
                peak = max(peak, anonymous(process.pid))
                time.sleep(0.02)
            seconds, text = time.perf_counter() - start, process.stdout.read()
        if process.returncode:
            raise SystemExit(f"the process that was measured ended with {process.returncode}")
    return {"seconds": seconds, "n_event": int(text), "imports_mib": imports / MIB, "peak_mib": peak / MIB}


def anonymous(process: int) -> int:
    """RssAnon of a process and all its children, bytes."""
    total = 0
    try:
        text = Path(f"/proc/{process}/status").read_text()
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:  # it has ended
        return 0
    found = re.search(r"RssAnon:\s+(\d+) kB", text)
    total = 1024 * int(found[1]) if found else 0
    return total + sum(anonymous(int(child)) for child in children)


def measure(folder: Path, *, n_file: int, n_event: int, jobs: int) -> dict[str, Any]:
    """Makes the files in `folder`, prepares and reads them; figures by step."""
    for place in range(n_file):
        resample(fixtures(), folder / f"events{place}.root", n_event, seed=place + 1)
    found: dict[str, Any] = {"n_file": n_file, "n_event": n_event, "jobs": jobs, "n_cpu": os.cpu_count()}
    found["prepare"] = measured(PREPARE, folder, jobs)
    found["epoch"] = measured(READ, folder)
    return found


def main() -> int:
    """Prints JSON and a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where files and cache are made, and removed in the end")
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--events", type=int, default=1_000_000, help="in each file")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    os.environ.pop("ROOT_GNN_CACHE", None)
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        found = measure(folder, n_file=options.files, n_event=options.events, jobs=options.jobs)
    finally:
        shutil.rmtree(folder)
    header = "| | events | events/s | RssAnon after imports, MiB | at most, MiB |\n|---|---|---|---|---|\n"
    sys.stdout.write(json.dumps(found, indent=1) + "\n\n" + header)
    for name in ("prepare", "epoch"):
        of = found[name]
        speed = of["n_event"] / of["seconds"]
        sys.stdout.write(f"| {name} | {of['n_event']:,} | {speed:,.0f} | {of['imports_mib']:.0f} | {of['peak_mib']:.0f} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
