"""What conversions to and from other graph libraries share: names of tensors, and when edges need not be stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.edges import complete_edges, n_complete_edge
from root_gnn.graph.features import Features
from root_gnn.kinematics.angles import delta_eta, delta_phi

CLASS = "label"  # the label that is called `y` elsewhere; any other label is called `y_<name>`


def graph_fields(batch: Batch) -> dict[str, Tensor]:
    """Tensors of whole graphs by name, `(n_graph, ...)`: `u`, `complete`, `y`, `y_<label>`, `weights`, `ids`."""
    fields = {
        "u": batch.globals,
        "complete": torch.full((batch.n_graph,), batch.is_complete, device=batch.nodes.device),
    }
    fields |= {"y" if name == CLASS else f"y_{name}": value for name, value in batch.labels.items()}
    if batch.weights is not None:
        fields["weights"] = batch.weights
    if batch.ids is not None:
        fields["ids"] = batch.ids
    return fields


def edge_fields(batch: Batch, senders: Tensor, receivers: Tensor, features: Features) -> Tensor | None:
    """Stored edge features, or `delta_eta delta_phi delta_r` of every pair of a complete graph: `(n_edge, edge_dim)`.

    Raises InputError where the columns of `batch.nodes` are not the ones `features` names.
    """
    if not batch.is_complete:
        return batch.edges
    if batch.nodes.shape[1] != len(features.nodes):
        raise InputError(
            f"edge features are computed from the node columns {', '.join(features.nodes)}; the batch has "
            f"{batch.nodes.shape[1]} columns. Pass features= with the names of your columns (a spec has them), or "
            "convert the batch before it goes through an encoder."
        )
    eta, phi = batch.nodes[:, features.column("eta")], batch.nodes[:, features.column("phi")]
    deta, dphi = delta_eta(eta[senders], eta[receivers]), delta_phi(phi[senders], phi[receivers])
    return torch.stack([deta, dphi, torch.hypot(deta, dphi)], dim=1)


def batch_of(
    nodes: Tensor,
    n_node: Tensor,
    fields: Mapping[str, Tensor],
    *,
    senders: Tensor,
    receivers: Tensor,
    edges: Tensor | None,
) -> Batch:
    """The batch of nodes, edges in any order and `graph_fields`.

    Graphs marked `complete` whose edges are still all the ordered pairs store none; all others keep theirs.

    Args:
        nodes: features of all nodes, `(total_node, node_dim)`.
        n_node: number of nodes of each graph, `(n_graph,)`.
        fields: tensors as `graph_fields` names them; may be empty.
        senders: where each edge starts, `(n_edge,)`.
        receivers: where each edge ends, `(n_edge,)`.
        edges: features of the edges, `(n_edge, edge_dim)`, or None.
    """
    rest: dict[str, Any] = {name: fields[name] for name in ("weights", "ids") if name in fields}
    rest["labels"] = {
        CLASS if name == "y" else name[2:]: value
        for name, value in fields.items()
        if name == "y" or name.startswith("y_")
    }
    order = torch.argsort(receivers * nodes.shape[0] + senders, stable=True)
    if not (
        "complete" in fields
        and bool(fields["complete"].all())
        and _are_all_pairs(senders[order], receivers[order], n_node)
    ):
        if bool((receivers[1:] < receivers[:-1]).any()):
            senders, receivers, edges = senders[order], receivers[order], None if edges is None else edges[order]
        rest |= {"senders": senders, "receivers": receivers, "edges": edges}
    return Batch.of(nodes, n_node, globals=fields.get("u"), **rest)


def _are_all_pairs(senders: Tensor, receivers: Tensor, n_node: Tensor) -> bool:
    n_edge = n_complete_edge(n_node)
    if n_edge != senders.shape[0]:
        return False
    pairs = complete_edges(n_node, torch.repeat_interleave(n_node), n_edge)
    return torch.equal(pairs[0], senders) and torch.equal(pairs[1], receivers)
