"""Batches for users of DGL, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from root_gnn.errors import MissingExtraError
from root_gnn.graph.batch import Batch
from root_gnn.graph.exchange import batch_of, edge_fields, graph_fields
from root_gnn.graph.features import Features

if TYPE_CHECKING:
    import dgl


def to_dgl(batch: Batch, *, features: Features | None = None) -> dgl.DGLGraph:
    """The batch as a batched `dgl.DGLGraph`: `batch_num_nodes()` and `batch_num_edges()` are set, `dgl.unbatch` works.

    - `ndata["x"] (total_node, node_dim)`
    - `edata["e"] (n_edge, edge_dim)`: stored edge features, or `delta_eta delta_phi delta_r` of every ordered pair
      (sender minus receiver, radians); absent where edges are stored without features
    - `graph_data`, an attribute added to the graph since DGL has no room for tensors of whole graphs: a dictionary of
      `u (n_graph, global_dim)` the globals, `y (n_graph,)` the class label, `y_<name>` any other label, `weights`,
      `ids`, and `complete (n_graph,)`, true where the edges are all ordered pairs. DGL's own functions that make new
      graphs (`dgl.unbatch`, `dgl.batch`, `dgl.save_graphs`) drop it.

    `features` names the node columns (default: those of events). Raises InputError where they don't fit, and
    MissingExtraError without DGL.
    """
    library = _import()
    senders, receivers = batch.edge_index()
    graph = library.graph((senders, receivers), num_nodes=batch.total_node)
    graph.set_batch_num_nodes(batch.n_node)
    graph.set_batch_num_edges(
        torch.zeros_like(batch.n_node).index_add(0, batch.graph_index[receivers], torch.ones_like(receivers))
    )
    graph.ndata["x"] = batch.nodes
    attributes = edge_fields(batch, senders, receivers, features or Features())
    if attributes is not None:
        graph.edata["e"] = attributes
    graph.graph_data = graph_fields(batch)
    return graph


def from_dgl(graph: dgl.DGLGraph) -> Batch:
    """The batch behind a graph, made by `to_dgl` or by anyone with `ndata["x"]`.

    Reads the names that `to_dgl` writes; all but `x` may be absent (the global is then the number of nodes). Graphs
    marked `complete` whose edges are still all the ordered pairs come back complete, with no stored edges; all others
    keep their edges and `edata["e"]`, sorted by receiver.
    """
    senders, receivers = (end.to(torch.int64) for end in graph.edges(order="eid"))
    return batch_of(
        graph.ndata["x"],
        graph.batch_num_nodes().to(torch.int64),
        getattr(graph, "graph_data", {}),
        senders=senders,
        receivers=receivers,
        edges=graph.edata.get("e"),
    )


def _import() -> Any:
    try:
        import dgl
    except ImportError as error:  # DGL needs `packaging` without declaring it
        raise MissingExtraError("dgl", "dgl", "converting graphs to DGL") from error
    return dgl
