"""Columns by name."""

from __future__ import annotations

import pytest

from root_gnn.graph.features import EVENT_NODE_FEATURES, Features


def test_columns_are_found_by_name() -> None:
    features = Features(nodes=("d0", "phi", "pt"))
    assert [features.column(name) for name in ("pt", "d0")] == [2, 0]
    with pytest.raises(KeyError, match="no node feature eta; known are d0, phi, pt"):
        features.column("eta")


def test_event_columns_are_the_seven_of_the_standard_ntuple() -> None:
    assert Features().nodes == EVENT_NODE_FEATURES == ("pt", "eta", "phi", "energy", "btag", "charge", "type")
    assert (Features().globals, Features().n_type) == (("n_node",), 5)


def test_momenta_are_logarithmic_unless_told_otherwise() -> None:
    assert [Features().transform(name) for name in ("pt", "energy", "eta")] == ["log", "log", "linear"]
    assert Features(transforms={"d0": "tanh"}).transform("pt") == "linear"
