"""Every benchmark in its smallest form: outputs are compared, everything is written down, and no time is looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from root_gnn.bench.suite import case_files

KEYS = {
    "case",
    "allocator",
    "what",
    "ours",
    "reference",
    "ratio",
    "low",
    "high",
    "quartiles",
    "target",
    "between",
    "unit",
    "rates",
    "limit_fraction",
    "limit_target",
    "max_difference",
    "rounds",
    "cores",
    "load",
    "quick",
}
TOLERANCE = 1e-3  # the largest of any case; each has its own, which it asserts itself
SLOW = {"processes", "end_to_end", "compile"}  # whole trainings; kernels that are made


def run(case: str, data_dir: Path, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "root_gnn", "bench", case, "--quick", "--allocator", "default"]
    done = subprocess.run(
        [*command, "--data-dir", str(data_dir), "--out", str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == out.with_suffix(".md").read_text(encoding="utf-8").strip()
    content: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in case_files()]
)
def test_the_smallest_form_runs_and_writes_everything_down(case: str, data_dir: Path, tmp_path: Path) -> None:
    found = run(case, data_dir, tmp_path / "bench.json")
    assert found["machine"]["torch"] and found["machine"]["cpu"]
    assert all(set(row) >= KEYS and row["case"] == case and row["quick"] for row in found["cases"])
    assert all(row["max_difference"] is None or row["max_difference"] <= TOLERANCE for row in found["cases"])
    missing = [one["reason"] for one in found["left_out"] if "is not installed" in one["reason"]]
    if missing:
        pytest.skip("; ".join(missing))
    assert found["cases"]
