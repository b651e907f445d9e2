"""Feature importance as intervals by group and input."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from root_gnn.metrics.measured import Measured
from root_gnn.study.answers.importance import drops, sizes


def test_what_contributes_nothing_anywhere_is_left_out() -> None:
    def network(size: float) -> Any:
        inputs = [
            SimpleNamespace(node_type=None, name="met", size=Measured(size, 0.1)),
            SimpleNamespace(node_type=2, name="pt", size=Measured(0.0, None)),
        ]
        return SimpleNamespace(contributions=SimpleNamespace(inputs=inputs), shuffled=())

    spec: Any = SimpleNamespace(nodes={"jet": SimpleNamespace(type=2)})
    found = sizes({"a": network(1.0), "b": network(0.0), "none": None}, spec)
    assert found == {"a": {"graph met": (1.0, 0.9, 1.1)}, "b": {"graph met": (0.0, -0.1, 0.1)}}


def test_a_drop_that_is_not_defined_is_left_out() -> None:
    drop = SimpleNamespace(mean=0.2, low=0.1, high=0.3)
    shuffled = (SimpleNamespace(name="pt", drop=drop), SimpleNamespace(name="eta", drop=None))
    worth: Any = {"a": SimpleNamespace(shuffled=shuffled), "b": None}
    assert drops(worth) == {"a": {"pt": (0.2, 0.1, 0.3)}}
