"""Batches for users of PyTorch Geometric, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from root_gnn.errors import MissingExtraError
from root_gnn.graph.batch import Batch
from root_gnn.graph.exchange import batch_of, edge_fields, graph_fields
from root_gnn.graph.features import Features
from root_gnn.graph.segment import segment_start

if TYPE_CHECKING:
    import torch_geometric.data


def to_pyg(batch: Batch, *, features: Features | None = None) -> torch_geometric.data.Batch:
    """The batch as a `torch_geometric.data.Batch` of `Data` graphs; tensors are shared, not copied.

    - `x (total_node, node_dim)`, `edge_index (2, n_edge)`, `batch (total_node,)`, `ptr (n_graph + 1,)`
    - `edge_attr (n_edge, edge_dim)`: stored edge features, or `delta_eta delta_phi delta_r` of every ordered pair
      (sender minus receiver, radians); absent where edges are stored without features
    - `u (n_graph, global_dim)` the globals, `y (n_graph,)` the class label, `y_<name>` any other label, `weights` and
      `ids`
    - `complete (n_graph,)`: true where the edges are all ordered pairs, so that `from_pyg` need not store them

    `to_data_list()`, `batch[3]` and `Batch.from_data_list` work, each graph keeping its own row of every tensor.
    `features` names the node columns (default: those of events). Raises InputError where they don't fit, and
    MissingExtraError without PyTorch Geometric.
    """
    data = _import()
    senders, receivers = batch.edge_index()
    values = {"x": batch.nodes, "edge_index": torch.stack([senders, receivers])}
    attributes = edge_fields(batch, senders, receivers, features or Features())
    if attributes is not None:
        values["edge_attr"] = attributes
    per_graph = graph_fields(batch)
    ptr = _bounds(batch.n_node)
    out = data.Batch(
        _base_cls=data.Data, batch=batch.graph_index, ptr=ptr.to(batch.nodes.device), **values, **per_graph
    )
    edge_ptr = _bounds(
        torch.zeros_like(batch.n_node).index_add(0, batch.graph_index[receivers], torch.ones_like(receivers))
    )
    # What Batch.from_data_list records graph by graph: where each graph's rows lie and what was added to its indices.
    slices = {"x": ptr, "edge_index": edge_ptr, "edge_attr": edge_ptr}
    out._num_graphs = batch.n_graph
    out._slice_dict = {name: slices[name] for name in values} | {
        name: torch.arange(batch.n_graph + 1) for name in per_graph
    }
    out._inc_dict = {name: torch.zeros(batch.n_graph, dtype=torch.int64) for name in (*values, *per_graph)}
    out._inc_dict["edge_index"] = ptr[:-1]
    return out


def from_pyg(data: torch_geometric.data.Data) -> Batch:
    """The batch behind a `Data` or `Batch` of PyTorch Geometric, made by `to_pyg` or by anyone.

    Reads the names that `to_pyg` writes; all but `x` may be absent (the global is then the number of nodes). Graphs
    marked `complete` whose edges are still all the ordered pairs come back complete, with no stored edges; all others
    keep their edges and `edge_attr`, sorted by receiver. A plain `Data` is one graph.
    """
    nodes: Tensor = data["x"]
    fields: dict[str, Any] = {name: value for name, value in data.to_dict().items() if isinstance(value, Tensor)}
    ptr = fields.get("ptr")
    n_node = torch.tensor([nodes.shape[0]], device=nodes.device) if ptr is None else torch.diff(ptr)
    edge_index = fields.get("edge_index", torch.empty(2, 0, dtype=torch.int64, device=nodes.device))
    return batch_of(
        nodes, n_node, fields, senders=edge_index[0], receivers=edge_index[1], edges=fields.get("edge_attr")
    )


def _bounds(count: Tensor) -> Tensor:
    return torch.cat([segment_start(count), count.sum().unsqueeze(0)]).cpu()


def _import() -> Any:
    try:
        import torch_geometric.data
    except ImportError as error:
        raise MissingExtraError("torch_geometric", "pyg", "converting graphs to PyTorch Geometric") from error
    return torch_geometric.data
