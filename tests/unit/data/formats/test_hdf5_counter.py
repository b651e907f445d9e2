"""Counters of flat datasets, against slices of the same arrays."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from root_gnn.data.formats import hdf5_counter
from root_gnn.data.formats.hdf5_counter import FlatCounter, counter_names
from root_gnn.data.formats.hdf5_file import contents_of
from root_gnn.errors import InputError


def test_ranges_of_entries_are_ranges_of_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_counter, "BLOCK", 4)
    counts = np.array([2, 0, 3, 1, 0, 0, 5, 1, 2], dtype=np.uint8)
    starts = np.concatenate([[0], np.cumsum(counts)])
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["n"] = counts
        counter = FlatCounter(tmp_path / "f.h5", "n", file["n"])
        assert counter.total == counts.sum()
        for start in range(len(counts)):
            for stop in range(start, len(counts) + 1):
                first, found = counter.range(start, stop)
                assert first == starts[start] and found.tolist() == counts[start:stop].tolist()


def test_what_is_no_counter_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["float"], file["negative"] = np.zeros(2), np.array([1, -1])
        with pytest.raises(InputError, match="float should be one whole number per entry"):
            FlatCounter(tmp_path / "f.h5", "float", file["float"])
        with pytest.raises(InputError, match="negative is -1 in entry 1"):
            FlatCounter(tmp_path / "f.h5", "negative", file["negative"])


def test_counters_are_named_by_the_attribute_of_their_group(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    with h5py.File(path, "w") as file:
        file["jet/pt"], file["jet/n_jet"] = np.zeros(3), np.array([1, 2])
        file["jet"].attrs["counter"] = "n_jet"
        assert counter_names(path, contents_of(path, file)) == {"jet/pt": "jet/n_jet", "jet/n_jet": "jet/n_jet"}
        file["jet"].attrs["counter"] = "absent"
        with pytest.raises(InputError, match="is counted by absent, and there is no such dataset"):
            counter_names(path, contents_of(path, file))
