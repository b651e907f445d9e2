"""Large files: memory does not grow with them, while they are prepared and while they are read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
N_SMALL, N_LARGE = 100_000, 1_000_000


def measured(folder: Path, out: Path, n_event: int) -> dict[str, float]:
    command = [
        sys.executable,
        str(BENCHMARKS / "large_files.py"),
        "--folder",
        str(folder),
        "--files",
        "1",
        "--events",
        str(n_event),
    ]
    subprocess.run([*command, "--allocator", "default", "--out", str(out)], check=True)
    rows = json.loads(out.read_text(encoding="utf-8"))["cases"]
    assert all(row["note"] == f"{n_event:,} events" for row in rows)
    return {row["what"]: row["ratio"] for row in rows}


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="anonymous memory is read from /proc")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    small, large = (measured(folder, tmp_path / f"{n_event}.json", n_event) for n_event in (N_SMALL, N_LARGE))
    prepare, epoch = "prepare, 1 at a time: anonymous memory", "a shuffled epoch: anonymous memory"
    assert large[f"{prepare} at most"] < min(2048, 1.5 * small[f"{prepare} at most"] + 100)
    assert large[f"{epoch} at most"] - large[f"{epoch} of the imports"] < 512
    assert not list(folder.iterdir())
