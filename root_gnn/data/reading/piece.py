"""The graphs of a range of entries as columns, which become records or the arrays of the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.data.reading.columns import Columns, fill_columns
from root_gnn.data.reading.graphs import GraphArrays, node_rows
from root_gnn.data.spec.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The graphs of a range of entries.

    Attributes:
        spec: the data spec they were read with.
        n_graph: how many graphs there are.
        nodes: the objects of each collection, features float32.
        columns: `ids (n_graph, n_id)` int64, `entry` int64, `weight` float64, and where spec and file have them `label`
            int64 and `split` int8, `(n_graph,)` each.
        truth, globals: float32 columns `(n_graph,)` by name.
    """

    spec: Spec
    n_graph: int
    nodes: Mapping[str, Columns]
    columns: Mapping[str, NDArray[Any]]
    truth: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    globals: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def select(self, keep: NDArray[np.bool_]) -> Piece:
        """The graphs where `keep (n_graph,)` is true."""

        def chosen(columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            return {name: column[keep] for name, column in columns.items()}

        return Piece(
            spec=self.spec,
            n_graph=int(np.count_nonzero(keep)),
            nodes={name: part.select_graphs(keep) for name, part in self.nodes.items()},
            columns=chosen(self.columns),
            truth=chosen(self.truth),
            globals=chosen(self.globals),
        )

    def records(self) -> ak.Array:
        """One record per graph, as described by `root_gnn.data.reading.read.read`."""
        fields: dict[str, Any] = {name: self._collection(part) for name, part in self.nodes.items()}
        fields |= {name: ak.to_layout(column) for name, column in self.columns.items()}
        further = {"truth": self.truth, "globals": self.globals}
        fields |= {name: _record(columns, self.n_graph) for name, columns in further.items() if columns}
        return ak.Array(ak.contents.RecordArray(list(fields.values()), list(fields), length=self.n_graph))

    def arrays(self) -> GraphArrays:
        """The arrays that `graph_arrays` makes of the records, without the detour through records."""
        nodes, n_node = node_rows(list(self.nodes.values()), self.spec, self.n_graph)
        globals_ = list(self.globals.values())
        block = fill_columns(globals_, np.empty((self.n_graph, len(globals_)), dtype=np.float32)) if globals_ else None
        return GraphArrays(nodes=nodes, n_node=n_node, truth=self.truth, globals=block, **self.columns)

    def by_graph(self, name: str, feature: str) -> ak.Array:
        """A feature of a collection: a list per graph, or a number where the collection is single.

        0 if the file lacks it.
        """
        part = self.nodes[name]
        return ak.Array(part.by_graph(ak.contents.NumpyArray(_feature(part, feature))))

    def _collection(self, part: Columns) -> ak.contents.Content:
        features = {name: _feature(part, name) for name in self.spec.stored_features}
        return part.by_graph(_record(features, len(features["pt"])))


def _record(columns: Mapping[str, NDArray[Any]], length: int) -> ak.contents.RecordArray:
    return ak.contents.RecordArray(
        [ak.contents.NumpyArray(column) for column in columns.values()], list(columns), length=length
    )


def _feature(part: Columns, name: str) -> NDArray[np.float32]:
    values = part.features.get(name)
    if values is None:
        return np.zeros(len(part.features["pt"]), dtype=np.float32)
    return values.astype(np.float32, copy=False)
