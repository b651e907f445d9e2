"""A shard is what was written, and damage is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from root_gnn.data.cache.shard import Meta, Shard
from root_gnn.data.spec.spec import load_spec

MakeShard = Callable[..., Shard]


@pytest.fixture
def shard(make_shard: MakeShard, small_spec: dict[str, Any]) -> Shard:
    return make_shard(
        load_spec(small_spec), "a", [2, 0, 1], [[1, 7], [1, 8], [1, 9]], truth={"higgs_pt": np.array([5.0, 0.0, 2.0])}
    )


def test_arrays_are_those_that_were_written(shard: Shard) -> None:
    assert shard.nodes[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert shard.offsets.tolist() == [0, 2, 2, 3]
    assert shard.ids.tolist() == [[1, 7], [1, 8], [1, 9]]
    assert shard.truth.tolist() == [[5.0], [0.0], [2.0]]
    assert shard.entry.tolist() == [0, 1, 2]
    assert shard.label is None and shard.split is None and shard.globals.shape == (3, 0)
    assert (shard.meta.n_graph, shard.meta.n_node, shard.meta.n_empty) == (3, 3, 1)


def test_a_changed_byte_and_a_missing_end_are_damage(shard: Shard) -> None:
    assert shard.damage() is None
    file = shard.folder / "nodes.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert shard.damage() == "nodes.npy has another checksum than when it was written"
    file.write_bytes(content[:-1])
    assert "bytes" in str(shard.damage())


def test_a_manifest_that_cannot_be_read_is_none(shard: Shard) -> None:
    assert Meta.load(shard.folder) == shard.meta
    (shard.folder / "meta.json").write_text("{")
    assert Meta.load(shard.folder) is None
