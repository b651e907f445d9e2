"""The command `root-gnn bench`: finds cases by name, measures each in processes of its own, and writes the results."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from root_gnn.atomic import write_json, write_text
from root_gnn.bench.machine import ALLOCATORS, Allocator, bench_environment
from root_gnn.bench.table import bench_markdown
from root_gnn.config.shipped import shipped_folder
from root_gnn.console import log
from root_gnn.errors import InputError, suggest

IS_CASE = re.compile(r"^def results\b", re.MULTILINE)


@dataclass
class BenchResults:
    """The machine, rows by case, and the comparisons that were left out, as in the JSON file."""

    machine: dict[str, Any] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)

    def take(self, case: str, allocator: Allocator, found: dict[str, Any]) -> None:
        """Adds what a process measured."""
        self.machine = self.machine or found["machine"]
        self.cases += [{"case": case, "allocator": allocator, **row} for row in found["rows"]]
        entries = [{"case": case, **one} for one in found["left_out"]]
        self.left_out += [one for one in entries if one not in self.left_out]

    def as_mapping(self) -> dict[str, Any]:
        """The content of the JSON file."""
        return {"machine": self.machine, "cases": self.cases, "left_out": self.left_out}

    def markdown(self) -> str:
        """The content as a table."""
        return bench_markdown([self.as_mapping()])

    def save(self, path: Path) -> None:
        """Writes JSON to `path` and Markdown beside it."""
        write_json(path, self.as_mapping())
        write_text(path.with_suffix(".md"), self.markdown())


def case_files() -> dict[str, Path]:
    """Returns the shipped cases by name: files of `benchmarks/` that define `results`, found without running them."""
    files = sorted(shipped_folder("benchmark").glob("*.py"))
    return {file.stem: file for file in files if IS_CASE.search(file.read_text(encoding="utf-8"))}


def bench(
    names: Sequence[str] = (),
    *,
    rounds: int = 9,
    quick: bool = False,
    out: Path | None = None,
    allocator: str = "both",
    data_dir: Path | None = None,
) -> BenchResults:
    """Measures the cases called `names`, or all of them without any; see `docs/benchmarks.md`.

    Args:
        names: names of cases.
        rounds: turns of each comparison.
        quick: as small as possible: everything runs, and no time means anything.
        out: a JSON file, or a folder for `bench.json`; both it and a table in Markdown are written after every case.
        allocator: `tuned`, `default` or `both`.
        data_dir: simulated files to use instead of the repository's.

    Raises:
        InputError: for a name that no case has.
    """
    known = case_files()
    for name in names:
        if name not in known:
            raise InputError(f"There is no benchmark {name!r}{suggest(name, known)}")
    if allocator not in (*ALLOCATORS, "both"):
        raise InputError(f"--allocator {allocator}: expected tuned, default or both.")
    if rounds < 1:
        raise InputError(f"--rounds {rounds}: at least one round is needed.")
    arguments = [
        "--rounds",
        str(rounds),
        *(["--quick"] if quick else []),
        *(["--data-dir", str(data_dir)] if data_dir else []),
    ]
    wanted: tuple[Allocator, ...] = tuple(one for one in ALLOCATORS if allocator in (one, "both"))
    return run_cases([known[name] for name in names or known], allocators=wanted, arguments=arguments, out=out)


def run_cases(
    files: Sequence[Path], *, allocators: Sequence[Allocator], arguments: Sequence[str], out: Path | None
) -> BenchResults:
    """Runs case files with command-line `arguments`, once for each allocator.

    Raises:
        InputError: where a file is wrong.
        RuntimeError: where a case fails.
    """
    path = out if out is None or out.suffix == ".json" else out / "bench.json"
    found = BenchResults()
    for file in files:
        for allocator in allocators:
            log.info("%s, %s allocator", file.stem, allocator)
            found.take(file.stem, allocator, _run(file, allocator, arguments))
        if path is not None:
            found.save(path)
    return found


def _run(file: Path, allocator: Allocator, arguments: Sequence[str]) -> dict[str, Any]:
    with _scratch() as folder:
        result = folder / "result.json"
        command = [sys.executable, str(file), *arguments, "--allocator", allocator, "--child", str(result)]
        done = subprocess.run(command, env={**bench_environment(allocator), "ROOT_GNN_CACHE": str(folder)}, check=False)
        if done.returncode == 2:
            raise InputError(f"The benchmark {file.stem} could not begin; its own words are above.")
        if done.returncode:
            raise RuntimeError(f"the benchmark {file.stem} ended with {done.returncode}; what it said is above")
        content: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return content


@contextmanager
def _scratch() -> Iterator[Path]:
    """Makes a folder in `TMPDIR` for the result and for caches of files that a case makes; it is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="root_gnn_bench_", dir=os.environ.get("TMPDIR")) as folder:
        yield Path(folder)
