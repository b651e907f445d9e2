"""Large files: memory does not grow with them, while they are prepared and while they are read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
N_SMALL, N_LARGE = 100_000, 1_000_000


def measured(folder: Path, n_event: int) -> dict[str, Any]:
    command = [sys.executable, str(BENCHMARKS / "scale.py"), "--folder", str(folder), "--files", "1", "--events", str(n_event)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(text[: text.index("\n}") + 2])
    return found


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="anonymous memory is read from /proc")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small, large = (measured(tmp_path, n_event) for n_event in (N_SMALL, N_LARGE))
    assert large["prepare"]["n_event"] == large["epoch"]["n_event"] == N_LARGE
    assert large["prepare"]["peak_mib"] < min(2048, 1.5 * small["prepare"]["peak_mib"] + 100)
    assert large["epoch"]["peak_mib"] - large["epoch"]["imports_mib"] < 512
    assert not list(tmp_path.iterdir())
