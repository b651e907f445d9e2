"""The graph-network step as a user of PyTorch Geometric would write it: same weights and results, concatenated inputs.

Reads the parameters of a `GraphNetworkStep` and owns none, so a checkpoint runs with any backend.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from root_gnn.errors import MissingExtraError
from root_gnn.nn.message_passing.native import Aggregation, GraphNetworkStep, Runner, State, Topology, run_rows_native
from root_gnn.nn.mlp import MLP

try:
    from torch_geometric.nn import MessagePassing, global_add_pool, global_max_pool, global_mean_pool
except ImportError as error:
    raise MissingExtraError("torch_geometric", "pyg", "the model's form pyg") from error

POOLS = {"sum": global_add_pool, "mean": global_mean_pool, "max": global_max_pool}


class Exchange(MessagePassing):  # type: ignore[misc] # the package has no types
    """Updates the edges from both ends and their graph, and collects them at the receivers."""

    def __init__(self, aggregation: tuple[Aggregation, ...]) -> None:
        super().__init__(aggr=list(aggregation), flow="source_to_target")

    def forward(
        self, step: GraphNetworkStep, edge_index: Tensor, state: State, of_graph: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The next edges, `(n_edge, dim)`, and their aggregation at each node, `(total_node, n_aggregation * dim)`."""
        size = (state.nodes.shape[0], state.nodes.shape[0])
        update = self.edge_updater(
            edge_index, size=size, edges=state.edges, nodes=state.nodes, of_graph=of_graph, mlp=step.edge
        )
        edges = state.edges + update if step.residual else update
        return edges, self.propagate(edge_index, size=size, edges=edges)

    def edge_update(self, edges: Tensor, nodes_i: Tensor, nodes_j: Tensor, of_graph_i: Tensor, mlp: MLP) -> Tensor:
        """The update of each edge, `(n_edge, dim)`; PyTorch Geometric calls the sender `_j` and the receiver `_i`.

        Args:
            edges: the edges, `(n_edge, dim)`.
            nodes_i: the receiver of each edge, `(n_edge, dim)`.
            nodes_j: the sender of each edge, `(n_edge, dim)`.
            of_graph_i: the global of the receiver's graph, `(n_edge, dim)`.
            mlp: the perceptron of the edge update.
        """
        out: Tensor = mlp(torch.cat([edges, nodes_j, nodes_i, of_graph_i], dim=1))
        return out

    def message(self, edges: Tensor) -> Tensor:
        """What each edge sends."""
        return edges


@functools.cache
def exchange(aggregation: tuple[Aggregation, ...]) -> Exchange:
    """The layer for an aggregation; it has no state, so one serves all steps."""
    return Exchange(aggregation)


def pyg_runner() -> Runner:
    """The backend with steps by PyTorch Geometric; the layers before them are native."""
    return Runner(run_steps_pyg, run_rows_native)


def run_steps_pyg(steps: Iterable[GraphNetworkStep], state: State, topology: Topology) -> Iterator[State]:
    """The state after each of the steps."""
    edge_index = torch.stack([topology.senders, topology.receivers])
    for step in steps:
        state = _run_step(step, state, edge_index, topology.graph_index)
        yield state


def _run_step(step: GraphNetworkStep, state: State, edge_index: Tensor, graph_index: Tensor) -> State:
    n_graph, of_graph = state.globals.shape[0], state.globals[graph_index]
    edges, received = exchange(step.aggregation)(step, edge_index, state, of_graph)
    nodes = step.node(torch.cat([received, state.nodes, of_graph], dim=1))
    nodes = state.nodes + nodes if step.residual else nodes
    pooled = [POOLS[name](nodes, graph_index, n_graph) for name in step.pooling]
    over_edges = POOLS[step.edge_reduction](edges, graph_index[edge_index[1]], n_graph)
    update = step.globals(torch.cat([state.globals, *pooled, over_edges], dim=1))
    return State(edges, nodes, state.globals + update if step.residual else update)
