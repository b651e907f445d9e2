"""The first nodes of a graph concatenated, then an MLP (J-JEPA, arXiv:2412.05333, reads 20 subjets this way).

This is the only head that depends on the order of nodes; records have the hardest first.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, final

from pydantic import Field
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.nn.mlp import MLP, ActivationName
from root_gnn.nn.pooling import flattened
from root_gnn.protocols import Head, HeadConfig


class Config(HeadConfig):
    """The first `n_token` nodes are read; fewer are padded with zeros. `hidden` is as wide as one node by default."""

    n_token: Annotated[int, Field(ge=1)] = 20
    hidden: Annotated[int, Field(ge=1)] | None = None
    n_layer: Annotated[int, Field(ge=1)] = 2
    activation: ActivationName = "gelu"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def build(self, dim: int, n_output: int) -> FlattenHead:
        """A new head for representations of width `dim`."""
        return FlattenHead(self, dim, n_output)


@final
class FlattenHead(Head):
    """`Linear(MLP(first n_token nodes))`; the encoder's globals are not read."""

    ordered: ClassVar[bool] = True

    def __init__(self, config: Config, dim: int, n_output: int) -> None:
        super().__init__()
        self.n_token, width = config.n_token, config.hidden or dim
        self.decode = MLP(
            (config.n_token * dim,),
            width,
            n_layer=config.n_layer,
            activation=config.activation,
            dropout=config.dropout,
            activate_last=True,
        )
        self.out = nn.Linear(width, n_output)

    def features(self, batch: Batch) -> Tensor:
        """Returns the input of the last linear layer, `(n_graph, feature_dim)`."""
        decoded: Tensor = self.decode(flattened(batch, self.n_token))
        return decoded

    def forward(self, batch: Batch) -> Tensor:
        """Returns logits `(n_graph, n_output)` of an encoded batch."""
        logits: Tensor = self.out(self.features(batch))
        return logits
