"""Ragged batches from records: the nodes of a graph are ordered by collection, as the spec lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import awkward as ak
import numpy as np
import torch
from numpy.typing import NDArray

from root_gnn.data.reading.columns import Columns, fill_columns
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch


@dataclass(frozen=True, kw_only=True)
class GraphArrays:
    """Graphs as plain arrays, as the cache stores them.

    Attributes:
        nodes: `(total_node, node_dim)` float32, columns as in `Spec.node_features`.
        n_node: `(n_graph,)` int64; an entry without objects is a graph without nodes.
        ids: `(n_graph, n_id)` int64, or None.
        weight: `(n_graph,)` float64, or None.
        label: `(n_graph,)` int64, or None.
        truth: `(n_graph,)` float32 by name.
        globals: `(n_graph, n_global)` float32, the spec's `globals`, or None.
        split: `(n_graph,)` int8, or None.
        entry: `(n_graph,)` int64, the entry in the file, or None.
    """

    nodes: NDArray[np.float32]
    n_node: NDArray[np.int64]
    ids: NDArray[np.int64] | None = None
    weight: NDArray[np.float64] | None = None
    label: NDArray[np.int64] | None = None
    truth: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    globals: NDArray[np.float32] | None = None
    split: NDArray[np.int8] | None = None
    entry: NDArray[np.int64] | None = None

    def batch(self) -> Batch:
        """The graphs as a batch; its `globals` begin with the number of nodes, and weights are float32."""
        labels = {name: torch.from_numpy(values) for name, values in self.truth.items()}
        if self.label is not None:
            labels["label"] = torch.from_numpy(self.label)
        columns = [self.n_node.astype(np.float32)[:, None], *([] if self.globals is None else [self.globals])]
        globals_ = torch.from_numpy(np.concatenate(columns, axis=1))
        return Batch.of(
            torch.from_numpy(self.nodes),
            torch.from_numpy(self.n_node),
            globals=globals_,
            labels=labels,
            weights=None if self.weight is None else torch.from_numpy(self.weight.astype(np.float32)),
            ids=None if self.ids is None else torch.from_numpy(self.ids),
        )


def build_graphs(records: ak.Array, spec: Spec) -> Batch:
    """One complete graph per record, in the order of the records; nodes `(total_node, node_dim)` float32.

    Labels hold `label` (int64) and the truth columns (float32), weights and ids follow where the records have them.
    Raises InputError where the records lack a collection or a feature of the spec.
    """
    return graph_arrays(records, spec).batch()


def graph_arrays(records: ak.Array, spec: Spec) -> GraphArrays:
    """The graphs of records as arrays; raises InputError where the records lack a collection or feature of the spec."""
    known = set(ak.fields(records))
    missing = [name for name in spec.nodes if name not in known]
    if missing:
        raise InputError(
            f"The records have no collection {missing[0]} (spec {spec.name}, nodes); they have {', '.join(known)}."
        )
    parts = [_columns(records[name], spec, name) for name in spec.nodes]
    nodes, n_node = node_rows(parts, spec, len(records))
    truth = records["truth"] if "truth" in known else None
    return GraphArrays(
        nodes=nodes,
        n_node=n_node,
        ids=_column(records, "ids", np.int64),
        weight=_column(records, "weight", np.float64),
        label=_column(records, "label", np.int64),
        truth={} if truth is None else {name: _column(truth, name, np.float32) for name in ak.fields(truth)},
        globals=_globals(records, spec),
        split=_column(records, "split", np.int8),
        entry=_column(records, "entry", np.int64),
    )


def node_rows(parts: Sequence[Columns], spec: Spec, n_graph: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Merges the objects of the collections into nodes, graph by graph.

    `parts` holds the objects of each collection, in the order of the spec. Returns `(total_node, node_dim)` float32 and
    `n_node (n_graph,)` int64.
    """
    single = np.ones(n_graph, dtype=np.int64)
    count = np.stack([single if part.count is None else part.count for part in parts], axis=1)
    n_node = count.sum(axis=1)
    n_object = count.sum(axis=0)
    end = np.cumsum(n_object)
    nodes = np.empty((int(end[-1]), len(spec.node_features)), dtype=np.float32)
    # first all objects of one collection after another, since whole columns are quick to copy
    for part, collection, start, stop in zip(parts, spec.nodes.values(), end - n_object, end, strict=True):
        features: dict[str, Any] = {"type": collection.type, **part.features}
        fill_columns([features.get(name, 0.0) for name in spec.node_features], nodes[start:stop])
    if np.count_nonzero(n_object) > 1:  # with objects of one collection only, they are in order already
        # then the rows of each graph are gathered, its segments in the order of the collections
        first = np.cumsum(count, axis=0) - count + (end - n_object)
        nodes = nodes.take(ragged_rows(first.ravel(), count.ravel()), axis=0)
    return nodes, n_node


def ragged_rows(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row numbers of segments in turn: `first[0], first[0] + 1, ...` (`count[0]` of them), `first[1], ...`.

    `first` and `count` are `(n_segment,)`; the result is `(count.sum(),)`.
    """
    shift = first - (np.cumsum(count) - count)
    rows: NDArray[np.int64] = np.repeat(shift, count)
    rows += np.arange(len(rows))
    return rows


def _columns(collection: Any, spec: Spec, name: str) -> Columns:
    """The features of a collection's records, and how many each graph has."""
    count = None
    if collection.layout.purelist_depth > 1:
        count, collection = np.asarray(ak.num(collection, axis=1), dtype=np.int64), ak.flatten(collection, axis=1)
    for feature in spec.stored_features:
        if feature not in collection.fields:
            known = ", ".join(collection.fields)
            raise InputError(
                f"The records of {name} have no {feature} (spec {spec.name}, node_features); they have {known}."
            )
    return Columns({feature: ak.to_numpy(collection[feature]) for feature in spec.stored_features}, count)


def _globals(records: Any, spec: Spec) -> NDArray[np.float32] | None:
    if not spec.globals:
        return None
    if "globals" not in ak.fields(records):
        raise InputError(f"The records have no globals, but the spec {spec.name} has: {', '.join(spec.globals)}.")
    return np.stack([ak.to_numpy(records["globals"][name]).astype(np.float32) for name in spec.globals], axis=1)


def _column(records: Any, name: str, dtype: Any) -> Any:
    if name not in ak.fields(records):
        return None
    return np.ascontiguousarray(ak.to_numpy(records[name]), dtype=dtype)
