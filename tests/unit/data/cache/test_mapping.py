"""Mapped files: the same numbers, read-only, without open files, gone with the last array that looks at them."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import numpy as np
import pytest

from root_gnn.data.cache.mapping import mapped


@pytest.mark.parametrize(
    "array", [np.arange(12, dtype=np.float32).reshape(4, 3), np.array([3, -1]), np.arange(5, dtype=np.int8)]
)
def test_the_same_numbers(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", array)
    found = mapped(tmp_path / "a.npy")
    assert found.dtype == array.dtype and found.tolist() == array.tolist()
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_file_stays_open_and_memory_is_given_back(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(1000))
    before = len(list(Path("/proc/self/fd").iterdir()))
    arrays = [mapped(tmp_path / "a.npy") for _ in range(50)]
    assert len(list(Path("/proc/self/fd").iterdir())) == before

    def n_map() -> int:
        return Path("/proc/self/maps").read_text(encoding="utf-8").count(str(tmp_path / "a.npy"))

    last = arrays[7][5:9]
    assert n_map() == 50
    del arrays
    gc.collect()
    assert n_map() == 1
    assert last.tolist() == [5, 6, 7, 8]
    del last
    gc.collect()
    assert n_map() == 0


def test_a_short_file_is_not_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(1000))
    with (tmp_path / "a.npy").open("r+b") as file:
        file.truncate(500)
    with pytest.raises(OSError, match="shorter than its header says"):
        mapped(tmp_path / "a.npy")
