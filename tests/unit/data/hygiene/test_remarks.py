"""Remarks on one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from root_gnn.data.cache.shard import Shard
from root_gnn.data.hygiene.remarks import remarks_on
from root_gnn.data.spec.spec import load_spec


def test_findings_become_sentences(make_shard: Callable[..., Shard], small_spec: dict[str, Any]) -> None:
    spec = load_spec(small_spec)
    shard = make_shard(spec, "a", [1, 0], [[1, 7], [1, 8]], truth={"higgs_pt": [0.0, 0.0]})
    assert list(remarks_on(shard, spec)) == ["1 graph without nodes, which training leaves out"]
    findings = {
        "n_entry": 2,
        "nan": {f"b{i}": i + 1 for i in range(6)},
        "sentinels": {"jet_pt": {"-999": 3}},
        "columns": {"jet.charge": {"n": 30, "min": 1.0, "max": 1.0}, "truth.x": {"n": 30, "min": 0.0, "max": 0.0}},
    }
    remarks = list(remarks_on(Shard(shard.folder, replace(shard.meta, findings=findings)), spec))
    assert "NaN: 1 in b0, 2 in b1, 3 in b2, 4 in b3 and in 2 more branches" in remarks
    assert "the same everywhere: jet.charge is 1" in remarks
    assert any(text.startswith("jet_pt is -999 3 times") for text in remarks)
