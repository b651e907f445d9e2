"""What is said of a machine, and the environment of a process that is measured."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from root_gnn.bench.machine import TUNED, bench_environment, cores, describe_machine, processor


def test_the_description_is_complete_and_fits_json() -> None:
    found = json.loads(json.dumps(describe_machine()))
    assert found["torch"] == torch.__version__ and found["cores"] == os.cpu_count() and found["cpu"]
    assert {"instruction_set", "memory_gib", "gpu", "libc", "packages", "allocators", "load"} <= set(found)
    assert cores()


def test_the_processor_is_named_as_the_system_lists_it(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\nprocessor\t: 1\nmodel name\t: Other\n", encoding="utf-8"
    )
    assert processor(info) == "Some CPU @ 2 GHz"
    assert processor(tmp_path / "none")


def test_the_allocator_is_set_for_the_tuned_process_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_MMAP_MAX_", "7")
    assert bench_environment("tuned").items() >= TUNED.items()
    assert not TUNED.keys() & bench_environment("default").keys()
    assert all(value.isdigit() for value in TUNED.values())  # the C library reads 2e10 as 2
    assert bench_environment("default")["OMP_NUM_THREADS"] == "1"
