"""The event network as one writes it in DGL.

A graph for each event with the features of its edges stored, `dgl.batch`, `apply_edges` and `update_all` on
concatenated inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dgl
import dgl.function
import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.heads.mlp import MLPHead
from root_gnn.models.encode_process_decode import EncodeProcessDecode


def dgl_graphs(encoder: EncodeProcessDecode, events: Batch) -> list[Any]:
    """A graph for each event, with what the encoders read."""
    graphs = []
    for nodes in events.nodes.split(events.n_node.tolist()):
        alone = Batch.of(nodes, torch.tensor([len(nodes)]))
        senders, receivers = alone.edge_index()
        graph = dgl.graph((senders, receivers), num_nodes=len(nodes))
        graph.ndata["x"] = encoder.node_inputs(nodes)
        graph.edata["x"] = encoder.pair_inputs(nodes, senders, receivers)
        graphs.append(graph)
    return graphs


def dgl_collate(encoder: EncodeProcessDecode, events: Batch) -> Callable[[Tensor], Any]:
    """What batches the graphs of rows: the batched graph and the inputs of the globals."""
    graphs, inputs = dgl_graphs(encoder, events), encoder.global_inputs(events)
    return lambda rows: (dgl.batch([graphs[row] for row in rows.tolist()]), inputs[rows])


class DGLNetwork(nn.Module):
    """The steps on concatenated inputs, with the weights of our network."""

    def __init__(self, encoder: EncodeProcessDecode, head: MLPHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, batch: tuple[Any, Tensor]) -> Tensor:
        """Logits, `(n_graph, 2)`."""
        graph, inputs = batch
        with graph.local_scope():
            graph.ndata["h"], graph.edata["e"] = (
                self.encoder.encode_nodes(graph.ndata["x"]),
                self.encoder.encode_edges(graph.edata["x"]),
            )
            state = self.encoder.encode_globals(inputs)
            for k in range(self.encoder.n_steps):
                state = self._step(k, graph, state)
            logits: Tensor = self.head.out(self.head.decode(state))
            return logits

    def _step(self, k: int, graph: Any, state: Tensor) -> Tensor:
        step = self.encoder.step(k)
        of_edges, of_nodes = (
            torch.repeat_interleave(state, count, dim=0) for count in (graph.batch_num_edges(), graph.batch_num_nodes())
        )
        graph.apply_edges(
            lambda edges: {
                "e": step.edge(torch.cat([edges.data["e"], edges.src["h"], edges.dst["h"], of_edges], dim=1))
            }
        )
        graph.update_all(dgl.function.copy_e("e", "m"), dgl.function.sum("m", "received"))
        graph.ndata["h"] = step.node(torch.cat([graph.ndata["received"], graph.ndata["h"], of_nodes], dim=1))
        out: Tensor = step.globals(torch.cat([state, dgl.mean_nodes(graph, "h"), dgl.mean_edges(graph, "e")], dim=1))
        return out
