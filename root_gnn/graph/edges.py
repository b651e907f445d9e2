"""Edge lists of complete graphs, made by array operations from the node counts alone."""

from __future__ import annotations

import torch
from torch import Tensor

from root_gnn.graph.segment import segment_start


def n_complete_edge(n_node: Tensor) -> int:
    """Number of ordered pairs `i != j` over all graphs, from `n_node (n_graph,)` (waits for the device)."""
    # int() would make it a constant of an exported network
    n_edge: int = (n_node * (n_node - 1)).sum().item()  # type: ignore[assignment]
    return n_edge


def complete_edges(n_node: Tensor, graph_index: Tensor, n_edge: int) -> tuple[Tensor, Tensor]:
    """Senders and receivers, `(n_edge,)` each, of every ordered pair `i != j` inside each graph.

    Args:
        n_node: nodes per graph, `(n_graph,)`.
        graph_index: the graph of each node, `(n_node,)`.
        n_edge: their total, known beforehand so that nothing waits for the device.

    Edges are sorted by receiver, then by sender.
    """
    first = segment_start(n_node)[graph_index]  # (n_node,) first node of the node's graph
    fan_in = n_node[graph_index] - 1
    receivers = torch.repeat_interleave(fan_in, output_size=n_edge)
    position = torch.arange(n_edge, device=n_node.device) - segment_start(fan_in)[receivers]
    senders = first[receivers] + position
    return senders + (senders >= receivers), receivers
