"""The sum over nodes, then an MLP: the simplest readout of particles; infrared safe where the encoder is."""

from __future__ import annotations

from typing import Annotated, final

from pydantic import Field
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.nn.mlp import MLP, ActivationName
from root_gnn.nn.pooling import pool
from root_gnn.protocols import Head, HeadConfig


class Config(HeadConfig):
    """`n_layer` layers, `hidden` wide; by default as wide as the representation."""

    hidden: Annotated[int, Field(ge=1)] | None = None
    n_layer: Annotated[int, Field(ge=1)] = 2
    activation: ActivationName = "gelu"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def build(self, dim: int, n_output: int) -> SumHead:
        """A new head for representations of width `dim`."""
        return SumHead(self, dim, n_output)


@final
class SumHead(Head):
    """`Linear(MLP(sum over nodes))`; the encoder's globals are not read."""

    def __init__(self, config: Config, dim: int, n_output: int) -> None:
        super().__init__()
        width = config.hidden or dim
        self.decode = MLP(
            (dim,),
            width,
            n_layer=config.n_layer,
            activation=config.activation,
            dropout=config.dropout,
            activate_last=True,
        )
        self.out = nn.Linear(width, n_output)

    def features(self, batch: Batch) -> Tensor:
        """Returns the input of the last linear layer, `(n_graph, feature_dim)`."""
        decoded: Tensor = self.decode(pool(batch.nodes, batch, ("sum",)))
        return decoded

    def forward(self, batch: Batch) -> Tensor:
        """Returns logits `(n_graph, n_output)` of an encoded batch."""
        logits: Tensor = self.out(self.features(batch))
        return logits
