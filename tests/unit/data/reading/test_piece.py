"""Graphs of a piece as records and as arrays give the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from root_gnn.data.reading.columns import Columns
from root_gnn.data.reading.graphs import graph_arrays
from root_gnn.data.reading.piece import Piece
from root_gnn.data.spec.spec import Spec


def piece_of(spec: Spec) -> Piece:
    """Three graphs with 2, 0 and 1 jets."""
    features = {name: np.array([30, 20, 50], dtype=np.float32) for name in ("pt", "eta", "phi", "energy")}
    return Piece(
        spec=spec,
        n_graph=3,
        nodes={"jet": Columns(features, np.array([2, 0, 1]))},
        columns={"weight": np.array([1.0, 2.0, 3.0]), "entry": np.arange(3)},
        truth={"x": np.array([4, 5, 6], dtype=np.float32)},
    )


def test_arrays_are_those_of_the_records(spec_of: Callable[..., Spec]) -> None:
    spec = spec_of()
    piece = piece_of(spec)
    direct, through_records = piece.arrays(), graph_arrays(piece.records(), spec)
    assert np.array_equal(direct.nodes, through_records.nodes)
    assert direct.n_node.tolist() == through_records.n_node.tolist() == [2, 0, 1]
    assert np.array_equal(direct.truth["x"], through_records.truth["x"])
    assert piece.by_graph("jet", "pt").tolist() == [[30, 20], [], [50]]
    assert piece.by_graph("jet", "btag").tolist() == [[0, 0], [], [0]]


def test_selected_graphs_keep_all_of_their_columns(spec_of: Callable[..., Spec]) -> None:
    piece = piece_of(spec_of()).select(np.array([False, True, True]))
    records = piece.records()
    assert piece.n_graph == len(records) == 2
    assert records.jet.pt.tolist() == [[], [50]]
    assert (records.weight.tolist(), records.truth.x.tolist(), records.entry.tolist()) == ([2, 3], [5, 6], [1, 2])
