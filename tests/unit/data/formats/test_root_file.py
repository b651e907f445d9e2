"""Trees of ROOT files: which there are, and which most likely holds events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot

from root_gnn.data.formats.root_file import branch_names, first_line, get_tree, likely_trees, open_root, tree_names
from root_gnn.errors import InputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with uproot.recreate(tmp_path / "f.root") as file:
        file["small"] = {"x": np.zeros(2)}
        file["large"] = {"x": np.zeros(5), "y": np.zeros(5)}
        file["sub/Events"] = {"x": np.zeros(1)}
        file.mktree("nominal", {"x": "f4"})
        file["text"] = "no tree"
    return tmp_path / "f.root"


def test_usual_names_come_first_and_empty_trees_last(path: Path) -> None:
    with open_root(path) as file:
        assert sorted(tree_names(file)) == ["large", "nominal", "small", "sub/Events"]
        assert likely_trees(file) == ["sub/Events", "large", "small", "nominal"]
        assert branch_names(get_tree(path, file, "large")) == ("x", "y")
        with pytest.raises(InputError, match="there is no tree Event in this file; it holds: small"):
            get_tree(path, file, "Event")


def test_fields_of_an_ntuple_are_its_branches(write_tree: Callable[..., Path]) -> None:
    path = write_tree({"a": np.zeros(2), "b": np.zeros(2)}, rntuple=True)
    with open_root(path) as file:
        assert branch_names(get_tree(path, file, "Events")) == ("a", "b")


def test_a_cut_file_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="truncated"), open_root(path):
        pass


def test_errors_are_quoted_by_their_first_line() -> None:
    assert first_line(ValueError("one\ntwo")) == "ValueError: one"
    assert first_line(KeyError()) == "KeyError: no message"
