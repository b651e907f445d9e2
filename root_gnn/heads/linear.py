"""One linear layer on the graph's representation: the linear probe."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.protocols import Head, HeadConfig


class Config(HeadConfig):
    """No settings."""

    def build(self, dim: int, n_output: int) -> LinearHead:
        """A new head for representations of width `dim`."""
        return LinearHead(dim, n_output)


@final
class LinearHead(Head):
    """`Linear(globals)`."""

    def __init__(self, dim: int, n_output: int) -> None:
        super().__init__()
        self.out = nn.Linear(dim, n_output)

    def features(self, batch: Batch) -> Tensor:
        """Returns the input of the last linear layer, `(n_graph, feature_dim)`."""
        return batch.globals

    def forward(self, batch: Batch) -> Tensor:
        """Returns logits `(n_graph, n_output)` of an encoded batch."""
        logits: Tensor = self.out(batch.globals)
        return logits
