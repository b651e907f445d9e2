"""One step of a graph network: edges, then nodes, then globals (Battaglia et al. 2018, arXiv:1806.01261, algorithm 1).

The first layer of each update is split by its inputs, `W_e e + (W_s h)[sender] + (W_r h + W_u u + b)[receiver]`, so
that what depends on a node or a graph is multiplied once per node or graph instead of once per edge. The weights are
stored as one matrix over the concatenated inputs, so a plain implementation runs the same checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_max, segment_mean, segment_sum
from root_gnn.nn.mlp import MLP, ActivationName

Aggregation = Literal["sum", "mean", "max"]


@dataclass(frozen=True)
class Topology:
    """The edges of a batch: computed once per batch and used by every step.

    `senders, receivers (n_edge,)`, receivers ascending; `fan_in (total_node,)`; `graph_index (total_node,)`;
    `n_node (n_graph,)`; `n_edge (n_graph,)`.
    """

    senders: Tensor
    receivers: Tensor
    fan_in: Tensor
    graph_index: Tensor
    n_node: Tensor
    n_edge: Tensor

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """The topology of a batch, complete or stored."""
        senders, receivers = batch.edge_index()
        if batch.is_complete:
            fan_in = (batch.n_node - 1)[batch.graph_index]
            n_edge = batch.n_node * (batch.n_node - 1)
        else:
            fan_in = torch.zeros_like(batch.graph_index).index_add(0, receivers, torch.ones_like(receivers))
            n_edge = torch.zeros_like(batch.n_node).index_add(0, batch.graph_index, fan_in)
        return cls(senders, receivers, fan_in, batch.graph_index, batch.n_node, n_edge)


@dataclass(frozen=True)
class State:
    """What a step updates: `edges (n_edge, dim)`, `nodes (total_node, dim)`, `globals (n_graph, dim)`."""

    edges: Tensor
    nodes: Tensor
    globals: Tensor


class GraphNetworkStep(nn.Module):
    """Edge, node and global update with their aggregations.

    Args:
        dim: width of edges, nodes and globals.
        n_layer: linear layers of each update.
        activation: the activation function.
        dropout: after every activation.
        activate_last: whether activation and dropout follow the last linear layer too.
        aggregation: how the edges of a receiver are reduced; several are concatenated.
        pooling: how the nodes of a graph are reduced to its global; several are concatenated. The edges of a graph are
            reduced by `sum` where that is among them, else by `mean`, through the node sums, since the sum over a
            graph's edges is the sum over its nodes of what they received.
        residual: whether an update is added to its input.
    """

    def __init__(
        self,
        dim: int,
        *,
        n_layer: int,
        activation: ActivationName,
        dropout: float,
        activate_last: bool,
        aggregation: tuple[Aggregation, ...],
        pooling: tuple[Aggregation, ...],
        residual: bool,
    ) -> None:
        super().__init__()
        self.aggregation, self.pooling, self.residual = aggregation, pooling, residual

        def mlp(*widths: int) -> MLP:
            return MLP(
                widths, dim, n_layer=n_layer, activation=activation, dropout=dropout, activate_last=activate_last
            )

        self.edge = mlp(dim, dim, dim, dim)  # edge, sender, receiver, global
        self.node = mlp(len(aggregation) * dim, dim, dim)  # received, node, global
        self.globals = mlp(dim, len(pooling) * dim, dim)  # global, nodes, edges

    @property
    def edge_reduction(self) -> Aggregation:
        """How edges are reduced to the global."""
        return "sum" if "sum" in self.pooling else "mean"

    def forward(self, state: State, topology: Topology) -> State:
        """The next state; the first layer of each update is applied to the parts of its input separately."""
        t = topology
        at_receiver = self.edge.part(2, state.nodes) + self.edge.part(3, state.globals, bias=True)[t.graph_index]
        first = self.edge.part(0, state.edges) + self.edge.part(1, state.nodes)[t.senders] + at_receiver[t.receivers]
        update = self.edge.rest(first)
        edges = state.edges + update if self.residual else update
        total = segment_sum(edges, t.receivers, t.fan_in.shape[0])
        received = self._received(edges, total, t)
        first = self.node.part(0, received) + self.node.part(1, state.nodes)
        first = first + self.node.part(2, state.globals, bias=True)[t.graph_index]
        update = self.node.rest(first)
        nodes = state.nodes + update if self.residual else update
        over_edges = segment_sum(total, t.graph_index, t.n_node.shape[0])
        if self.edge_reduction == "mean":
            over_edges = over_edges / t.n_edge.clamp(min=1).to(edges.dtype).unsqueeze(1)
        update = self.globals(torch.cat([state.globals, self._pooled(nodes, t), over_edges], dim=1))
        return State(edges, nodes, state.globals + update if self.residual else update)

    def _received(self, edges: Tensor, total: Tensor, t: Topology) -> Tensor:
        parts = {
            "sum": lambda: total,
            "mean": lambda: total / t.fan_in.clamp(min=1).to(edges.dtype).unsqueeze(1),
            "max": lambda: segment_max(edges, t.fan_in),
        }
        return torch.cat([parts[name]() for name in self.aggregation], dim=1)

    def _pooled(self, nodes: Tensor, t: Topology) -> Tensor:
        parts = {
            "sum": lambda: segment_sum(nodes, t.graph_index, t.n_node.shape[0]),
            "mean": lambda: segment_mean(nodes, t.graph_index, t.n_node),
            "max": lambda: segment_max(nodes, t.n_node),
        }
        return torch.cat([parts[name]() for name in self.pooling], dim=1)


StepRunner = Callable[[Iterable[GraphNetworkStep], State, Topology], Iterator[State]]
RowRunner = Callable[[MLP, Tensor], Tensor]


@dataclass(frozen=True)
class Runner:
    """A backend: the functions that run the steps and the perceptrons before them."""

    steps: StepRunner
    rows: RowRunner


def run_steps_native(
    steps: Iterable[GraphNetworkStep], state: State, topology: Topology, *, recompute: bool = False
) -> Iterator[State]:
    """The state after each of the steps; with `recompute` the backward pass runs each step again to save memory."""
    for step in steps:
        state = checkpoint(step, state, topology, use_reentrant=False) if recompute else step(state, topology)
        yield state


def run_rows_native(module: MLP, rows: Tensor, *, recompute: bool = False) -> Tensor:
    """`module(rows)`."""
    out: Tensor = checkpoint(module, rows, use_reentrant=False) if recompute else module(rows)
    return out


def native_runner(*, recompute: bool) -> Runner:
    """The native backend: plain PyTorch."""
    return Runner(partial(run_steps_native, recompute=recompute), partial(run_rows_native, recompute=recompute))
