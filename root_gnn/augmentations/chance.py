"""Which graphs of a batch an augmentation changes, and which of their nodes it keeps."""

from __future__ import annotations

from abc import ABC

import torch
from pydantic import Field
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.segment import segment_max
from root_gnn.protocols import AugmentationConfig

CHANCE_STREAM = 1000  # far from the streams augmentations count up from 0


class ChanceConfig(AugmentationConfig, ABC):
    """An augmentation that may leave some graphs as they are.

    Attributes:
        probability: how often a graph is changed.
    """

    probability: float = Field(1.0, gt=0, le=1)


def happens(batch: Batch, draws: RandomStream, probability: float) -> Tensor:
    """Draws which graphs are changed, each with the same `probability`: `(n_graph,)` bool."""
    if probability >= 1.0:
        return torch.ones_like(batch.n_node, dtype=torch.bool)
    return draws.uniform(batch, CHANCE_STREAM) < probability


def share(batch: Batch, fraction: float) -> Tensor:
    """The nearest number of nodes to `fraction` of each graph, and at least one, `(n_graph,)` int64."""
    return (batch.n_node * fraction).round().to(torch.int64).clamp(min=1)


def survivors(score: Tensor, batch: Batch, fraction: float) -> Tensor:
    """Returns a bool mask `(total_node,)` of the nodes that remain where a `fraction` is dropped, by `score` in [0, 1].

    Nodes that share a draw share their fate. The largest draw of each graph is kept whatever it is, so that something
    is left.
    """
    largest = segment_max(score.unsqueeze(1), batch.n_node).squeeze(1)[batch.graph_index]
    return (score >= fraction) | (score == largest)
