"""The ROOT source: what it lists, what it refuses, and names that are awkward to open."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from root_gnn.data.sources.root import Root
from root_gnn.errors import InputError


@pytest.fixture
def path(write_tree: Callable[..., Path]) -> Path:
    return write_tree({"x": np.arange(1000.0), "y": np.arange(1000, dtype=np.int16)})


def test_lists_and_reads(path: Path) -> None:
    source = Root("Events")
    assert source.n_entry(path) == 1000
    assert source.branches(path) == ("x", "y")
    arrays = source.read(path, ("y",), 10, 13)
    assert list(arrays) == ["y"]
    assert arrays["y"].tolist() == [10, 11, 12]


def test_facts_follow_a_file_that_changes(path: Path, write_tree: Callable[..., Path]) -> None:
    source = Root("Events")
    assert source.n_entry(path) == 1000
    write_tree({"z": np.arange(3.0)})
    assert (source.n_entry(path), source.branches(path)) == (3, ("z",))


def test_metadata_is_plain_and_finite(data_dir: Path, path: Path) -> None:
    assert Root("Events").metadata(path) == {}
    facts = Root("Events").metadata(data_dir / "WH.root")
    assert facts["process"] == "WH"
    assert type(facts["n_kept"]) is int
    assert facts["n_kept"] == 300
    with uproot.update(path) as file:
        file.mktree("metadata", {"cross_section": np.float64, "n_tried": np.int64})
        file["metadata"].extend({"cross_section": np.array([math.nan]), "n_tried": np.array([5])})
    assert Root("Events").metadata(path) == {"n_tried": 5}


@pytest.mark.parametrize("name", ["a[1].root", "what?*.root", "Größe & co.root", "with:colon.root", "a b.root"])
def test_awkward_file_names(path: Path, name: str) -> None:
    moved = path.rename(path.with_name(name))
    assert Root("Events").read(moved, ("x",), 0, 2)["x"].tolist() == [0, 1]


def test_missing_tree_and_branch(path: Path) -> None:
    with pytest.raises(InputError, match=r"no tree Event in this file; it holds: Events"):
        Root("Event").n_entry(path)
    with pytest.raises(InputError, match=r"the tree Events has no branch xx.*known are|the tree Events has no branch xx; did you mean x"):
        Root("Events").read(path, ("xx",), 0, 1)


def test_a_file_without_trees(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "h.root") as file:
        file["h"] = np.histogram(np.arange(5.0))
    with pytest.raises(InputError, match="holds no tree at all"):
        Root("Events").n_entry(tmp_path / "h.root")


@pytest.mark.parametrize("keep", [4, 60, 300, 0.5, 0.9, 0.99])
def test_truncated_files(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else int(keep)])
    with pytest.raises(InputError, match=r"truncated|damaged"):
        Root("Events").read(path, ("x",), 0, 1000)


def test_damaged_basket(path: Path) -> None:
    with uproot.open(path) as file:
        place = int(file["Events"]["x"].member("fBasketSeek")[0]) + 200
    content = bytearray(path.read_bytes())
    content[place : place + 50] = bytes(50)
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or truncated"):
        Root("Events").read(path, ("x", "y"), 0, 1000)


def test_chunks_cover_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Root("Events")
    assert list(source.chunks(path, ("x", "y"))) == [(0, 1000)]
    monkeypatch.setattr("root_gnn.data.sources.root.CHUNK_BYTES", 2000)
    monkeypatch.setattr("root_gnn.data.sources.root.SMALLEST_CHUNK", 10)
    chunks = list(source.chunks(path, ("x", "y")))
    assert chunks[0][0] == 0
    assert chunks[-1][1] == 1000
    assert all(a[1] == b[0] for a, b in itertools.pairwise(chunks))
    assert len(chunks) >= 5


def test_no_expression_is_ever_evaluated(path: Path) -> None:
    source: Any = Root("Events")
    with pytest.raises(InputError, match="no branch x\\+1"):
        source.read(path, ("x+1",), 0, 1)
