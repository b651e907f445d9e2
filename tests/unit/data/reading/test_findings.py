"""What is counted while a file is read, against plain loops.

Pieces add up to the whole, and the same file gives the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.data.cache.prepare import cache_dir, prepare_shards
from root_gnn.data.reading.findings import Findings, n_unsorted
from root_gnn.data.sources import root
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=5), max_size=8))
def test_lists_out_of_order_as_a_loop_counts_them(lists: list[list[int]]) -> None:
    flat = np.array([value for one in lists for value in one], dtype=np.float32)
    expected = sum(one != sorted(one, reverse=True) for one in lists)
    assert n_unsorted(flat, np.array([len(one) for one in lists], dtype=np.int64)) == expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([-999.0, 1.0, -999.0], {"-999": 2}),
        ([1.0, 999.9], {"999.9": 1}),
        ([-3000.0, -3000.0], {"-3000": 2}),
        ([-1.0, 998.0], {}),
        ([-999.0, -1000.0], {}),
        ([], {}),
    ],
)
def test_sentinels_at_the_ends_of_a_column(numbers: list[float], expected: dict[str, int]) -> None:
    findings = Findings()
    findings.add_sentinels("b", np.array(numbers, dtype=np.float32))
    assert findings.as_mapping()["sentinels"].get("b", {}) == expected


def test_whole_numbers_may_be_999_but_not_minus_999() -> None:
    findings = Findings()
    findings.add_sentinels("b", np.array([999, 5]))
    findings.add_sentinels("c", np.array([-999, 5]))
    findings.add_sentinels("d", np.array([True, False]))
    assert findings.as_mapping()["sentinels"] == {"c": {"-999": 1}}


def read(spec: Spec | dict[str, Any], path: Path) -> dict[str, Any]:
    spec = spec if isinstance(spec, Spec) else load_spec(spec)
    return dict(prepare_shards(spec, [path], data_dir=path.parent)[path].meta.findings)


def test_everything_odd_in_a_file_is_counted(
    write_tree: Callable[..., Path],
    small_columns: dict[str, Any],
    small_spec: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ROOT_GNN_CACHE", raising=False)
    small_columns["jet_pt"] = ak.Array([[30.0, 50.0], [], [math.nan]])
    small_columns["jet_m"] = ak.Array([[5.0, math.inf], [], [-math.inf]])
    small_columns["jet_phi"] = ak.Array([[3.5, -3.0], [], [6.2]])
    small_columns["jet_eta"] = ak.Array([[0.5, -999.0], [], [2.0]])
    small_columns["w"] = np.array([1.0, -2.0, 0.0])
    small_spec["nodes"]["jet"]["features"]["eta"] = {"branch": "jet_eta", "missing": [-999]}
    path = write_tree(small_columns)
    found = read({**small_spec, "on_nan": "fill", "fill": 1.0}, path)
    assert (found["n_entry"], found["n_graph"], found["max_node"]) == (3, 3, 3)
    assert (found["nan"], found["infinite"]) == ({"jet_pt": 1}, {"jet_m": 2})
    assert found["filled"] == {"jet_pt": 1, "jet_m": 2, "jet_eta": 1}
    assert (found["unsorted"], found["wrapped"]) == ({"jet": 1}, {"jet": 2})
    assert (found["n_negative"], found["n_zero"]) == (1, 1)
    assert found["sentinels"] == {}  # they were said to be missing
    assert found["columns"]["jet.pt"]["min"] == 1.0
    assert found["columns"]["truth.higgs_pt"]["max"] == 100.0
    assert "met.eta" not in found["columns"]
    dropped = read({**small_spec, "on_nan": "drop"}, path)
    assert (dropped["n_entry"], dropped["n_graph"], dropped["dropped"]) == (3, 1, {"NaN or infinity": 2})
    assert (dropped["nan"], dropped["n_negative"], dropped["max_node"]) == ({"jet_pt": 1}, 1, 1)
    with pytest.raises(InputError, match=r"jet_pt has NaN or infinity .* in entry 2, .*on_nan: drop"):
        read(small_spec, path)


def test_findings_are_plain_and_the_same_each_time(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOT_GNN_CACHE", str(tmp_path))
    monkeypatch.setattr(root, "CHUNK_BYTES", 1)
    monkeypatch.setattr(root, "SMALLEST_CHUNK", 70)  # five pieces
    metas = []
    for _ in range(2):
        shard = next(iter(prepare_shards(load_spec("events"), [data_dir / "WH.root"], data_dir=data_dir).values()))
        metas.append((shard.folder / "meta.json").read_bytes())
        (shard.folder / "nodes.npy").unlink()  # damaged, so made again
    assert metas[0] == metas[1]
    findings = json.loads(metas[0], parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))["findings"]
    assert (findings["n_entry"], findings["unsorted"], findings["wrapped"], findings["nan"]) == (300, {}, {}, {})
    assert findings["columns"]["jet.pt"]["n"] > 500
    assert cache_dir(data_dir).parent == tmp_path
