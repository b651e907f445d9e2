"""Edge convolutions over nearest neighbours by PyTorch Geometric.

After ParticleNet (Qu, Gouskos 2020, arXiv:1902.08570). A node receives messages from its `k` nearest neighbours: in
(eta, phi) in the first block, and in the later ones in the space of node representations where `dynamic` (as published)
or in (eta, phi) again. LayerNorm instead of batch norm, so that no graph sees another.
"""

from __future__ import annotations

from typing import Annotated, final

import torch
from pydantic import Field
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_mean
from root_gnn.nn.buckets import Buckets
from root_gnn.nn.inputs import GlobalInputs
from root_gnn.nn.mlp import MLP, ActivationName
from root_gnn.nn.neighbours import nearest
from root_gnn.nn.pooling import Pooling, pool
from root_gnn.nn.token_inputs import Coordinates, TokenInputs
from root_gnn.nn.widths import Width
from root_gnn.protocols import Encoder, EncoderConfig


class Config(EncoderConfig):
    """Sizes of the network; a block is one edge convolution of `n_layer` linear layers with a residual."""

    coordinates: Coordinates = "jet"
    dim: Width = 64
    n_block: Annotated[int, Field(ge=1)] = 3
    n_layer: Annotated[int, Field(ge=1)] = 3
    k: Annotated[int, Field(ge=1)] = 16
    dynamic: bool = True
    activation: ActivationName = "gelu"
    pooling: Annotated[tuple[Pooling, ...], Field(min_length=1)] = ("mean", "max")
    bucket_nodes: Annotated[int, Field(ge=1)] = 1024

    def build(self, features: Features, scaling: Scaling) -> EdgeConvNetwork:
        """A new network for batches with these columns; raises MissingExtraError without PyTorch Geometric."""
        return EdgeConvNetwork(self, features, scaling)


@final
class EdgeConvNetwork(Encoder):
    """Represents a graph by its pooled nodes and global features through one network; `(n_graph, dim)`.

    The host waits for the device a few times a pass, for the sizes of the buckets and the number of edges.
    """

    fixed_shapes = False

    def __init__(self, config: Config, features: Features, scaling: Scaling) -> None:
        super().__init__()
        from root_gnn.nn.edge_conv_pyg import ResidualEdgeConv

        self.dim, self.k, self.dynamic, self.limit, self.pooling = (
            config.dim,
            config.k,
            config.dynamic,
            config.bucket_nodes,
            config.pooling,
        )
        self.angles = [features.column(name) for name in ("eta", "phi")]
        self.inputs = TokenInputs(features, scaling, coordinates=config.coordinates)
        self.global_inputs = GlobalInputs(features, scaling)
        self.embed = MLP((self.inputs.dim,), config.dim, n_layer=1)
        self.blocks = nn.ModuleList(
            ResidualEdgeConv(config.dim, n_layer=config.n_layer, activation=config.activation)
            for _ in range(config.n_block)
        )
        self.of_graph = MLP(
            (len(config.pooling) * config.dim, self.global_inputs.dim),
            config.dim,
            n_layer=2,
            activation=config.activation,
        )

    def forward(self, batch: Batch) -> Batch:
        """Returns representations of nodes `(total_node, dim)` and of graphs `(n_graph, dim)` in a batch."""
        nodes = self._states(batch)[-1]
        return batch.replace(nodes=nodes, globals=self._graph(batch, nodes))

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """`embedding`, `block_1` ...: the mean over nodes; `graph`: the representation. `(n_graph, dim)` each."""
        states = self._states(batch)
        names = ("embedding", *(f"block_{k + 1}" for k in range(len(self.blocks))))
        means = {
            name: segment_mean(rows, batch.graph_index, batch.n_node) for name, rows in zip(names, states, strict=True)
        }
        return {**means, "graph": self._graph(batch, states[-1])}

    def _graph(self, batch: Batch, nodes: Tensor) -> Tensor:
        out: Tensor = self.of_graph(torch.cat([pool(nodes, batch, self.pooling), self.global_inputs(batch)], dim=1))
        return out

    def _states(self, batch: Batch) -> list[Tensor]:
        states = [self.embed(self.inputs(batch))]
        if batch.total_node == 0:
            return states * (1 + len(self.blocks))
        buckets = Buckets.of(batch.n_node, batch.graph_index, self.limit)
        senders, receivers = nearest(batch.nodes[:, self.angles], buckets, self.k, angle=1)
        for block, convolution in enumerate(self.blocks):
            if self.dynamic and block > 0:
                senders, receivers = nearest(states[-1], buckets, self.k)
            states.append(convolution(states[-1], senders, receivers))
        return states
