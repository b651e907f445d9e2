"""Deep sets (Zaheer et al. 2017, arXiv:1703.06114), known as the particle-flow network.

The particle-flow network is that of Komiske, Metodiev, Thaler 2019 (arXiv:1810.05165): each node goes through a network
on its own, the nodes of a graph are pooled, and the pooled row goes through a second network. No node sees another,
which makes this the baseline of all networks with messages or attention.
"""

from __future__ import annotations

from typing import Annotated, final

import torch
from pydantic import Field
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.nn.inputs import GlobalInputs
from root_gnn.nn.mlp import MLP, ActivationName
from root_gnn.nn.pooling import Pooling, pool
from root_gnn.nn.token_inputs import Coordinates, TokenInputs
from root_gnn.nn.widths import Width
from root_gnn.protocols import Encoder, EncoderConfig


class Config(EncoderConfig):
    """`n_layer` linear layers before and after pooling; several kinds of pooling are concatenated.

    The published network pools by `sum` alone.
    """

    coordinates: Coordinates = "jet"
    dim: Width = 64
    n_layer: Annotated[int, Field(ge=1)] = 3
    activation: ActivationName = "gelu"
    pooling: Annotated[tuple[Pooling, ...], Field(min_length=1)] = ("mean", "max")
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def build(self, features: Features, scaling: Scaling) -> DeepSets:
        """A new network for batches with these columns."""
        return DeepSets(self, features, scaling)


@final
class DeepSets(Encoder):
    """Represents a graph by `rho` of its pooled nodes and global features, a node by `phi`; `(..., dim)` each."""

    def __init__(self, config: Config, features: Features, scaling: Scaling) -> None:
        super().__init__()
        self.dim, self.pooling = config.dim, config.pooling
        self.inputs = TokenInputs(features, scaling, coordinates=config.coordinates)
        self.global_inputs = GlobalInputs(features, scaling)

        def network(*widths: int) -> MLP:
            return MLP(widths, config.dim, n_layer=config.n_layer, activation=config.activation, dropout=config.dropout)

        self.phi = network(self.inputs.dim)
        self.rho = network(len(config.pooling) * config.dim, self.global_inputs.dim)

    def forward(self, batch: Batch) -> Batch:
        """Returns representations of nodes `(total_node, dim)` and of graphs `(n_graph, dim)` in a batch."""
        nodes: Tensor = self.phi(self.inputs(batch))
        return batch.replace(nodes=nodes, globals=self._of_graph(batch, nodes))

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """`pooled`: the pooled nodes, `(n_graph, n_pooling * dim)`; `graph`: the representation, `(n_graph, dim)`."""
        nodes: Tensor = self.phi(self.inputs(batch))
        return {"pooled": pool(nodes, batch, self.pooling), "graph": self._of_graph(batch, nodes)}

    def _of_graph(self, batch: Batch, nodes: Tensor) -> Tensor:
        out: Tensor = self.rho(torch.cat([pool(nodes, batch, self.pooling), self.global_inputs(batch)], dim=1))
        return out
