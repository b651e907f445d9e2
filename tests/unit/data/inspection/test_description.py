"""The description of a file, as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn.data.inspection.choice import Choice
from root_gnn.data.inspection.description import Description
from root_gnn.data.inspection.layout import leaf_of
from root_gnn.errors import InputError


def test_trees_are_listed_and_a_missing_draft_gives_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    path.write_bytes(b"0" * 1500)
    leaves = {"x": leaf_of("x", "float32")}
    description = Description(path, "ROOT", {"t": 5}, "t", leaves, [], [], Choice(), {}, "nothing has a momentum")
    assert str(description).startswith(f"{path}: ROOT, 1.5 kB") and "tree t: 5 entries" in str(description)
    assert description.n_entry == 5 and description.nodes == {}
    with pytest.raises(InputError, match="no spec can be drafted: nothing has a momentum"):
        description.draft_spec()
