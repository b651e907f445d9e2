"""The event network as one writes it in PyTorch Geometric.

A `Data` for each event with the features of its edges stored, `Batch.from_data_list`, `MetaLayer` and `scatter` on
concatenated inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch as Batched
from torch_geometric.data import Data
from torch_geometric.nn import MetaLayer
from torch_geometric.utils import scatter

from root_gnn.graph.batch import Batch
from root_gnn.heads.mlp import MLPHead
from root_gnn.models.encode_process_decode import EncodeProcessDecode
from root_gnn.nn.mlp import MLP


def pyg_collate(encoder: EncodeProcessDecode, events: Batch) -> Callable[[Tensor], Any]:
    """What batches the graphs of rows."""
    graphs, inputs = [], encoder.global_inputs(events)
    for place, nodes in enumerate(events.nodes.split(events.n_node.tolist())):
        alone = Batch.of(nodes, torch.tensor([len(nodes)]))
        senders, receivers = alone.edge_index()
        edges = encoder.pair_inputs(nodes, senders, receivers)
        x, u = encoder.node_inputs(nodes), inputs[place : place + 1]
        graphs.append(Data(x=x, edge_index=torch.stack([senders, receivers]), edge_attr=edges, u=u))
    return lambda rows: Batched.from_data_list([graphs[row] for row in rows.tolist()])


class EdgeUpdate(nn.Module):
    """Edge, both of its ends, and its graph."""

    def __init__(self, mlp: MLP) -> None:
        super().__init__()
        self.mlp = mlp

    def forward(self, sender: Tensor, receiver: Tensor, edges: Tensor, u: Tensor, batch: Tensor) -> Tensor:
        """The next edges."""
        out: Tensor = self.mlp(torch.cat([edges, sender, receiver, u[batch]], dim=1))
        return out


class NodeUpdate(nn.Module):
    """The sum of what a node receives, the node, and its graph."""

    def __init__(self, mlp: MLP) -> None:
        super().__init__()
        self.mlp = mlp

    def forward(self, x: Tensor, edge_index: Tensor, edges: Tensor, u: Tensor, batch: Tensor) -> Tensor:
        """The next nodes."""
        received = scatter(edges, edge_index[1], dim=0, dim_size=x.shape[0], reduce="sum")
        out: Tensor = self.mlp(torch.cat([received, x, u[batch]], dim=1))
        return out


class GlobalUpdate(nn.Module):
    """The graph and the means of its nodes and edges."""

    def __init__(self, mlp: MLP) -> None:
        super().__init__()
        self.mlp = mlp

    def forward(self, x: Tensor, edge_index: Tensor, edges: Tensor, u: Tensor, batch: Tensor) -> Tensor:
        """The next globals."""
        of_nodes = scatter(x, batch, dim=0, dim_size=u.shape[0], reduce="mean")
        of_edges = scatter(edges, batch[edge_index[0]], dim=0, dim_size=u.shape[0], reduce="mean")
        out: Tensor = self.mlp(torch.cat([u, of_nodes, of_edges], dim=1))
        return out


class PyGNetwork(nn.Module):
    """The steps as meta layers, with the weights of our network."""

    def __init__(self, encoder: EncodeProcessDecode, head: MLPHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head
        steps = (encoder.step(k) for k in range(len(encoder.steps)))
        self.steps = nn.ModuleList(
            MetaLayer(EdgeUpdate(step.edge), NodeUpdate(step.node), GlobalUpdate(step.globals)) for step in steps
        )

    def forward(self, batch: Any) -> Tensor:
        """Logits, `(n_graph, 2)`."""
        nodes, edges = self.encoder.encode_nodes(batch.x), self.encoder.encode_edges(batch.edge_attr)
        state = self.encoder.encode_globals(batch.u)
        for k in range(self.encoder.n_steps):
            nodes, edges, state = self.steps[k % len(self.steps)](nodes, batch.edge_index, edges, state, batch.batch)
        logits: Tensor = self.head.out(self.head.decode(state))
        return logits
