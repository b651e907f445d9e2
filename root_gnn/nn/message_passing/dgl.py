"""The graph-network step as a user of DGL would write it: same weights, same numbers, concatenated inputs.

Reads the parameters of a `GraphNetworkStep` and owns none, so a checkpoint runs with any backend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from root_gnn.errors import MissingExtraError
from root_gnn.nn.message_passing.native import Aggregation, GraphNetworkStep, Runner, State, Topology, run_rows_native

try:
    import dgl
    import dgl.function
except ImportError as error:
    raise MissingExtraError("dgl", "dgl", "the model's form dgl") from error


def dgl_runner() -> Runner:
    """The backend with steps by DGL; the layers before them are native."""
    return Runner(run_steps_dgl, run_rows_native)


def run_steps_dgl(steps: Iterable[GraphNetworkStep], state: State, topology: Topology) -> Iterator[State]:
    """The state after each of the steps."""
    graph = dgl.graph((topology.senders, topology.receivers), num_nodes=topology.graph_index.shape[0])
    graph.set_batch_num_nodes(topology.n_node)
    graph.set_batch_num_edges(topology.n_edge)
    for step in steps:
        state = _run_step(step, state, graph)
        yield state


def _run_step(step: GraphNetworkStep, state: State, graph: Any) -> State:
    with graph.local_scope():
        graph.ndata["h"] = state.nodes
        graph.edata["e"] = state.edges
        graph.ndata["u"] = dgl.broadcast_nodes(graph, state.globals)
        received = _exchange(step, graph)
        update = step.node(torch.cat([received, graph.ndata["h"], graph.ndata["u"]], dim=1))
        graph.ndata["h"] = state.nodes + update if step.residual else update
        pooled = [_pool(graph.ndata["h"], graph.batch_num_nodes(), name) for name in step.pooling]
        over_edges = _pool(graph.edata["e"], graph.batch_num_edges(), step.edge_reduction)
        update = step.globals(torch.cat([state.globals, *pooled, over_edges], dim=1))
        return State(graph.edata["e"], graph.ndata["h"], state.globals + update if step.residual else update)


def _exchange(step: GraphNetworkStep, graph: Any) -> Tensor:
    """Updates the edges; gives what each node receives, `(total_node, n_aggregation * dim)`."""
    old, nodes = graph.edata["e"], graph.ndata["h"]
    if graph.num_edges() == 0:  # DGL warns of functions over no edges, and its gradient of a maximum fails
        return torch.zeros(
            nodes.shape[0], len(step.aggregation) * nodes.shape[1], dtype=nodes.dtype, device=nodes.device
        )
    graph.apply_edges(lambda edges: {"update": _edge_update(step, edges)})
    graph.edata["e"] = old + graph.edata["update"] if step.residual else graph.edata["update"]
    for name in step.aggregation:
        graph.update_all(dgl.function.copy_e("e", "m"), getattr(dgl.function, name)("m", f"received_{name}"))
    return torch.cat([graph.ndata[f"received_{name}"] for name in step.aggregation], dim=1)


def _edge_update(step: GraphNetworkStep, edges: Any) -> Tensor:
    out: Tensor = step.edge(torch.cat([edges.data["e"], edges.src["h"], edges.dst["h"], edges.dst["u"]], dim=1))
    return out


def _pool(rows: Tensor, count: Tensor, name: Aggregation) -> Tensor:
    if rows.shape[0] == 0:  # DGL's mean over no rows at all divides zero by zero
        return rows.new_zeros(count.shape[0], rows.shape[1])
    pooled: Tensor = dgl.ops.segment_reduce(count, rows, reducer=name)
    return pooled
