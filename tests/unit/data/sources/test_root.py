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

from root_gnn.data.sources.root import Config
from root_gnn.errors import InputError


@pytest.fixture
def path(write_tree: Callable[..., Path]) -> Path:
    return write_tree({"x": np.arange(1000.0), "y": np.arange(1000, dtype=np.int16)})


def read(path: Path, stop: int, *, branch: str = "x", tree: str = "Events") -> list[float]:
    with Config(tree=tree).open(path) as source:
        values: list[float] = source.read((branch,), 0, stop)[branch].tolist()
    return values


def metadata(path: Path) -> dict[str, Any]:
    with Config(tree="Events").open(path) as source:
        return source.metadata()


def test_lists_and_reads(path: Path) -> None:
    with Config(tree="Events").open(path) as source:
        assert source.n_entry == 1000
        assert source.branches == ("x", "y")
        arrays = source.read(("y",), 10, 13)
    assert list(arrays) == ["y"]
    assert arrays["y"].tolist() == [10, 11, 12]


def test_metadata_is_plain_and_finite(data_dir: Path, path: Path) -> None:
    assert metadata(path) == {}
    facts = metadata(data_dir / "WH.root")
    assert facts["process"] == "WH"
    assert type(facts["n_kept"]) is int
    assert facts["n_kept"] == 300
    with uproot.update(path) as file:
        file.mktree("metadata", {"cross_section": np.float64, "n_tried": np.int64})
        file["metadata"].extend({"cross_section": np.array([math.nan]), "n_tried": np.array([5])})
    assert metadata(path) == {"n_tried": 5}


@pytest.mark.parametrize("name", ["a[1].root", "what?*.root", "Größe & co.root", "with:colon.root", "a b.root"])
def test_awkward_file_names(path: Path, name: str) -> None:
    moved = path.rename(path.with_name(name))
    assert read(moved, 2) == [0, 1]


def test_missing_tree_and_branch(path: Path) -> None:
    with pytest.raises(InputError, match=r"no tree Event in this file; it holds: Events"):
        read(path, 1, tree="Event")
    with pytest.raises(InputError, match=r"the tree Events has no branch xx.*known are|the tree Events has no branch xx; did you mean x"):
        read(path, 1, branch="xx")


def test_a_file_without_trees(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "h.root") as file:
        file["h"] = np.histogram(np.arange(5.0))
    with pytest.raises(InputError, match="holds no tree at all"):
        read(tmp_path / "h.root", 1)


@pytest.mark.parametrize("keep", [4, 60, 300, 0.5, 0.9, 0.99])
def test_truncated_files(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else int(keep)])
    with pytest.raises(InputError, match=r"truncated|damaged"):
        read(path, 1000)


def test_damaged_basket(path: Path) -> None:
    with uproot.open(path) as file:
        place = int(file["Events"]["x"].member("fBasketSeek")[0]) + 200
    content = bytearray(path.read_bytes())
    content[place : place + 50] = bytes(50)
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or truncated"):
        read(path, 1000)


def test_chunks_cover_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Config(tree="Events").open(path) as source:
        assert list(source.chunks(("x", "y"))) == [(0, 1000)]
        monkeypatch.setattr("root_gnn.data.sources.root.CHUNK_BYTES", 2000)
        monkeypatch.setattr("root_gnn.data.sources.root.SMALLEST_CHUNK", 10)
        chunks = list(source.chunks(("x", "y")))
    assert chunks[0][0] == 0
    assert chunks[-1][1] == 1000
    assert all(a[1] == b[0] for a, b in itertools.pairwise(chunks))
    assert len(chunks) >= 5


def test_no_expression_is_ever_evaluated(path: Path) -> None:
    with pytest.raises(InputError, match=r"no branch x\+1"):
        read(path, 1, branch="x+1")
