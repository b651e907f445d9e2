"""Invalid numbers of objects that a collection's own selection removes do no harm, and no other ones pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError

WriteTree = Callable[..., Path]
SpecOf = Callable[..., Spec]


def cut(select: str, **keys: Any) -> dict[str, Any]:
    features = {"pt": "pt", "eta": "eta", "phi": "phi", "btag": "tag"}
    return {"jet": {"type": 0, "features": features, "select": select, **keys}}


def test_invalid_numbers_of_objects_that_the_selection_removes_are_not_checked(
    spec_of: SpecOf, write_tree: WriteTree
) -> None:
    nan = np.nan
    path = write_tree(
        {
            "pt": ak.Array([[50.0, 8.0, 30.0, 9.0], [], [5.0, 70.0]]),
            "eta": ak.Array([[0.5, -999.0, 1.0, 3.0], [], [nan, 2.0]]),
            "phi": ak.Array([[0.1, -999.0, 0.2, nan], [], [0.3, 0.4]]),
            "tag": ak.Array([[0.9, nan, 0.1, np.inf], [], [nan, 0.5]]),
        }
    )
    for select in ("pt > 20", "abs(eta) < 2.5 and pt > 20", "pt > 20 and (btag > 0 or eta > -5)"):
        records = read(path, spec_of(cut(select)))
        assert records.jet.pt.tolist() == [[50.0, 30.0], [], [70.0]] and records.entry.tolist() == [0, 1, 2]
        assert ak.flatten(records.jet.btag).tolist() == pytest.approx([0.9, 0.1, 0.5])
        assert ak.all(np.isfinite(ak.flatten(records.jet.energy)))
    assert read(path, spec_of(cut("pt > 20"), on_nan="drop")).entry.tolist() == [0, 1, 2]
    for select in ("pt > 4", "btag > 0", "pt < 10 or btag > 2", "pt > 0.9 * max(pt)"):  # an invalid number decides
        with pytest.raises(InputError, match=r"branch (tag|eta) has NaN or infinity"):
            read(path, spec_of(cut(select)))


def test_invalid_numbers_of_slots_and_padding_that_are_cut(spec_of: SpecOf, write_tree: WriteTree) -> None:
    columns = {f"{name}_{slot}": np.full(3, value) for name, value in (("eta", 0.5), ("phi", 0.1)) for slot in "ab"}
    pt = {"pt_a": np.array([50.0, 40.0, 5.0]), "pt_b": np.array([5.0, 30.0, 35.0])}
    tag = {"tag_a": np.array([1.0, 2.0, np.nan]), "tag_b": np.array([np.nan, 3.0, 4.0])}
    path = write_tree({**columns, **pt, **tag, "ok_a": np.array([1, 0, 1]), "ok_b": np.ones(3, dtype=np.int64)})
    features = {name: f"{branch}_%SLOT%" for name, branch in (("pt", "pt"), ("eta", "eta"), ("phi", "phi"))}
    jet = {"type": 0, "slots": ["a", "b"], "features": {**features, "btag": "tag_%SLOT%"}, "select": "pt > 20"}
    assert read(path, spec_of({"jet": jet})).jet.btag.tolist() == [[1.0], [2.0, 3.0], [4.0]]
    assert read(path, spec_of({"jet": {**jet, "mask": "ok_%SLOT%"}})).jet.btag.tolist() == [[1.0], [3.0], [4.0]]
