"""The central type: a ragged batch of graphs, one row per node, nothing padded."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch import Tensor

from root_gnn.graph.edges import complete_edges, n_complete_edge
from root_gnn.graph.segment import segment_start


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """`n_graph` graphs one after the other; graph `g` owns the rows `first[g] .. first[g] + n_node[g] - 1` of `nodes`.

    A graph is complete unless the batch says otherwise: every ordered pair `i != j` of its nodes is an edge,
    and neither the pairs nor their features are stored; `edge_index()` makes the pairs when they are asked for
    and encoders compute the features from the nodes. Only other topologies store `senders` and `receivers`.
    There is no mask, because there is no padding; a graph may have one node, and also none.

    Attributes:
        nodes: features of all nodes, `(total_node, node_dim)`, columns named by `Features.nodes`;
            momenta and energies in GeV, angles in radians, phi in [-pi, pi]. After an encoder: representations.
        globals: features of each graph, `(n_graph, global_dim)`. After an encoder: representations.
        n_node: nodes per graph, `(n_graph,)`, int64.
        graph_index: the graph each node belongs to, `(total_node,)`, int64, ascending.
        n_edge: edges in the whole batch, a plain number so that no step waits for the device to learn it.
        senders: the row of `nodes` where each edge starts, `(n_edge,)`, int64; None for complete graphs.
        receivers: the row of `nodes` where each edge ends, `(n_edge,)`, int64, ascending; None for complete graphs.
        edges: features of stored edges, `(n_edge, edge_dim)`; None where they are computed from the nodes.
        labels: targets of training by name, each `(n_graph,)`: `label` the class, int64; truth as float32.
        weights: event weights, `(n_graph,)`, float32; negative ones are kept. None means one each.
        ids: event id columns, `(n_graph, n_id)`, int64: what splits are hashed from and what follows every event.
        n_graph_all: graphs of this step over all processes, a plain number; None where it is not known.
    """

    nodes: Tensor
    globals: Tensor
    n_node: Tensor
    graph_index: Tensor
    n_edge: int
    senders: Tensor | None = None
    receivers: Tensor | None = None
    edges: Tensor | None = None
    labels: Mapping[str, Tensor] = field(default_factory=dict)
    weights: Tensor | None = None
    ids: Tensor | None = None
    n_graph_all: int | None = None

    @classmethod
    def of(cls, nodes: Tensor, n_node: Tensor, *, globals: Tensor | None = None, **rest: Any) -> Batch:
        """A batch from `nodes (total_node, node_dim)` and `n_node (n_graph,)`; the global is the number of nodes."""
        graph_index = torch.repeat_interleave(n_node, output_size=nodes.shape[0])
        if globals is None:
            globals = n_node.to(nodes.dtype).unsqueeze(1)
        stored = rest.get("senders")
        n_edge = n_complete_edge(n_node) if stored is None else stored.shape[0]
        return cls(nodes=nodes, globals=globals, n_node=n_node, graph_index=graph_index, n_edge=n_edge, **rest)

    @property
    def n_graph(self) -> int:
        """Number of graphs."""
        return self.n_node.shape[0]

    @property
    def total_node(self) -> int:
        """Number of nodes of all graphs together."""
        return self.nodes.shape[0]

    @property
    def is_complete(self) -> bool:
        """Whether every ordered pair of nodes of a graph is an edge, so that none is stored."""
        return self.senders is None

    def edge_index(self) -> tuple[Tensor, Tensor]:
        """Senders and receivers, `(n_edge,)` each; made on the fly for complete graphs."""
        if self.senders is not None and self.receivers is not None:
            return self.senders, self.receivers
        return complete_edges(self.n_node, self.graph_index, self.n_edge)

    def replace(self, **changes: Any) -> Self:
        """The same batch with some attributes changed (`nodes=`, `globals=` ...)."""
        return dataclasses.replace(self, **changes)

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Batch:
        """The batch on another device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Batch:
        """The batch in page-locked memory, for copies that do not wait."""
        return self._map(lambda tensor: tensor.pin_memory())

    def detach(self) -> Batch:
        """The batch without gradient history."""
        return self._map(lambda tensor: tensor.detach())

    def double(self) -> Batch:
        """The batch with its floats in float64."""
        return self._map(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)

    def _map(self, function: Any) -> Batch:
        changes: dict[str, Any] = {}
        for name in ("nodes", "globals", "n_node", "graph_index", "senders", "receivers", "edges", "weights", "ids"):
            value = getattr(self, name)
            changes[name] = None if value is None else function(value)
        changes["labels"] = {name: function(value) for name, value in self.labels.items()}
        return dataclasses.replace(self, **changes)

    def select(self, graphs: Tensor) -> Batch:
        """The graphs at the positions `graphs (n_selected,)`, int64, in that order (complete graphs only)."""
        if not self.is_complete:
            raise ValueError(
                "select is defined for complete graphs; make subgraphs with stored edges again from their nodes"
            )
        count = self.n_node[graphs]
        total = int(count.sum())
        owner = torch.repeat_interleave(count, output_size=total)
        rows = (segment_start(self.n_node)[graphs] - segment_start(count))[owner] + torch.arange(
            total, device=count.device
        )
        return Batch.of(
            self.nodes[rows],
            count,
            globals=self.globals[graphs],
            labels={name: value[graphs] for name, value in self.labels.items()},
            weights=None if self.weights is None else self.weights[graphs],
            ids=None if self.ids is None else self.ids[graphs],
        )

    def check(self) -> Self:
        """Verifies every statement of the class docstring and returns the batch; raises ValueError for a fault."""
        n_graph, total = self.n_graph, self.total_node
        wrong = [
            text
            for bad, text in (
                (self.nodes.ndim != 2, f"nodes must be (total_node, node_dim), got {tuple(self.nodes.shape)}"),
                (
                    self.globals.ndim != 2 or self.globals.shape[0] != n_graph,
                    f"globals must be ({n_graph}, global_dim), got {tuple(self.globals.shape)}",
                ),
                (self.n_node.dtype != torch.int64, f"n_node must be int64, got {self.n_node.dtype}"),
                (bool((self.n_node < 0).any()), "n_node has a negative count"),
                (
                    int(self.n_node.sum()) != total,
                    f"n_node adds up to {int(self.n_node.sum())}, but there are {total} nodes",
                ),
                (not bool(torch.isfinite(self.nodes).all()), "nodes has NaN or infinity"),
                (not bool(torch.isfinite(self.globals).all()), "globals has NaN or infinity"),
                ((self.senders is None) != (self.receivers is None), "senders and receivers must be given together"),
                (self.is_complete and self.edges is not None, "edges without senders and receivers"),
            )
            if bad
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        if not torch.equal(self.graph_index, torch.repeat_interleave(self.n_node)):
            raise ValueError("graph_index does not follow n_node")
        self._check_edges()
        for name, value in {**self.labels, "weights": self.weights, "ids": self.ids}.items():
            if value is not None and value.shape[0] != n_graph:
                raise ValueError(f"{name} has {value.shape[0]} rows for {n_graph} graphs")
        return self

    def _check_edges(self) -> None:
        if self.is_complete and self.n_edge != n_complete_edge(self.n_node):
            raise ValueError(
                f"n_edge is {self.n_edge}, but complete graphs of these sizes have {n_complete_edge(self.n_node)} edges"
            )
        senders, receivers = self.edge_index()
        if senders.shape != (self.n_edge,) or receivers.shape != (self.n_edge,):
            raise ValueError(
                f"n_edge is {self.n_edge}, but there are {senders.shape[0]} senders and {receivers.shape[0]} receivers"
            )
        ends = torch.cat([senders, receivers])
        if bool(((ends < 0) | (ends >= self.total_node)).any()):
            raise ValueError("an edge ends at a node that does not exist")
        if not torch.equal(self.graph_index[senders], self.graph_index[receivers]):
            raise ValueError("an edge joins two graphs")
        if bool((receivers[1:] < receivers[:-1]).any()):
            raise ValueError("receivers must ascend: sort the edges by receiver")
        if self.edges is not None and self.edges.shape[0] != self.n_edge:
            raise ValueError(f"edges has {self.edges.shape[0]} rows for {self.n_edge} edges")

    def __repr__(self) -> str:
        kind = "complete" if self.is_complete else "stored"
        return (
            f"Batch(n_graph={self.n_graph}, nodes={tuple(self.nodes.shape)}, globals={tuple(self.globals.shape)}, "
            f"n_edge={self.n_edge} {kind}, labels=[{', '.join(self.labels)}], device={self.nodes.device})"
        )


def concatenate(batches: Sequence[Batch]) -> Batch:
    """The graphs of several batches of complete graphs in one, in order."""
    first = batches[0]
    return Batch.of(
        torch.cat([b.nodes for b in batches]),
        torch.cat([b.n_node for b in batches]),
        globals=torch.cat([b.globals for b in batches]),
        labels={name: torch.cat([b.labels[name] for b in batches]) for name in first.labels},
        weights=None if first.weights is None else torch.cat([b.weights for b in batches if b.weights is not None]),
        ids=None if first.ids is None else torch.cat([b.ids for b in batches if b.ids is not None]),
    )
