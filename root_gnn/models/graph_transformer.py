"""A plain transformer over the nodes of a graph (Vaswani et al. 2017, arXiv:1706.03762).

Pre-norm self-attention blocks (Xiong et al. 2020, arXiv:2002.04745), a last LayerNorm, and the nodes pooled: neither a
class token nor the further norms of the Particle Transformer. Pair features may enter as a bias of the attention.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, final

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_mean
from root_gnn.kinematics.pairs import ATTENTION_FEATURES
from root_gnn.nn.attention import Block, block_states, initialise
from root_gnn.nn.buckets import Buckets
from root_gnn.nn.inputs import GlobalInputs
from root_gnn.nn.pair_bias import PairBias, dense_bias
from root_gnn.nn.pair_feature_names import SymmetricPairFeatureNames
from root_gnn.nn.pooling import AttentionPool
from root_gnn.nn.token_inputs import Coordinates, TokenEmbedding, TokenInputs
from root_gnn.nn.widths import Width, check_heads
from root_gnn.protocols import Encoder, EncoderConfig


class Config(EncoderConfig):
    """Sizes of the network, multiples of 8; `pair_hidden: null` leaves the pair features out.

    `bucket_nodes` is how many nodes go through the blocks at once: it changes speed and memory, nothing else.
    """

    coordinates: Coordinates = "jet"
    dim: Width = 64
    n_block: Annotated[int, Field(ge=1)] = 4
    n_head: Annotated[int, Field(ge=1)] = 8
    expansion: Annotated[int, Field(ge=1)] = 4
    embedding: tuple[Width, ...] = ()
    pair_features: SymmetricPairFeatureNames = ATTENTION_FEATURES
    pair_hidden: tuple[Width, ...] | None = (32,)
    pooling: Literal["mean", "attention"] = "mean"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    bucket_nodes: Annotated[int, Field(ge=1)] = 1024

    @model_validator(mode="after")
    def _heads(self) -> Self:
        check_heads(self.dim, self.n_head)
        return self

    def build(self, features: Features, scaling: Scaling) -> GraphTransformer:
        """A new network for batches with these columns."""
        return GraphTransformer(self, features, scaling)


@final
class GraphTransformer(Encoder):
    """Represents a graph by its pooled nodes and global features through one layer; `(n_graph, dim)`.

    The host waits for the device once a pass, for the sizes of the buckets.
    """

    fixed_shapes = False

    def __init__(self, config: Config, features: Features, scaling: Scaling) -> None:
        super().__init__()
        self.dim, self.limit = config.dim, config.bucket_nodes
        self.inputs = TokenInputs(features, scaling, coordinates=config.coordinates)
        self.global_inputs = GlobalInputs(features, scaling)
        self.embed = TokenEmbedding(self.inputs.dim, (*config.embedding, config.dim))
        self.pairs = None
        if config.pair_hidden is not None:
            self.pairs = PairBias(
                features,
                scaling,
                config.n_head,
                names=config.pair_features,
                hidden=config.pair_hidden,
                batch_norm=False,
            )
        self.blocks = nn.ModuleList(
            Block(config.dim, config.n_head, expansion=config.expansion, dropout=config.dropout, scaled=False)
            for _ in range(config.n_block)
        )
        self.norm = nn.LayerNorm(config.dim)
        self.pool = AttentionPool(config.dim) if config.pooling == "attention" else None
        self.of_graph = nn.Linear(config.dim + self.global_inputs.dim, config.dim)
        initialise(self, self.blocks)

    def forward(self, batch: Batch) -> Batch:
        """Returns representations of nodes `(total_node, dim)` and of graphs `(n_graph, dim)` in a batch."""
        nodes = self.norm(self._states(batch)[-1])
        return batch.replace(nodes=nodes, globals=self._graph(batch, nodes))

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """`embedding`, `block_1` ...: the mean over nodes; `graph`: the representation. `(n_graph, dim)` each."""
        states = self._states(batch)
        names = ("embedding", *(f"block_{k + 1}" for k in range(len(self.blocks))))
        means = {
            name: segment_mean(rows, batch.graph_index, batch.n_node) for name, rows in zip(names, states, strict=True)
        }
        return {**means, "graph": self._graph(batch, self.norm(states[-1]))}

    def _graph(self, batch: Batch, nodes: Tensor) -> Tensor:
        pooled = segment_mean(nodes, batch.graph_index, batch.n_node) if self.pool is None else self.pool(nodes, batch)
        out: Tensor = self.of_graph(torch.cat([pooled, self.global_inputs(batch)], dim=1))
        return out

    def _states(self, batch: Batch) -> list[Tensor]:
        embedded = self.embed(self.inputs(batch))
        if batch.n_graph == 0:
            return [embedded] * (1 + len(self.blocks))
        buckets = Buckets.of(batch.n_node, batch.graph_index, self.limit)
        padded = zip(buckets.parts, buckets.pad(embedded), strict=True)
        if self.pairs is None:
            each = [block_states(self.blocks, rows, bucket.mask[:, None, None, :]) for bucket, rows in padded]
        else:
            biases = self.pairs(batch, buckets)
            each = [
                block_states(self.blocks, rows, dense_bias(bias, bucket))
                for (bucket, rows), bias in zip(padded, biases, strict=True)
            ]
        return [buckets.flat(rows) for rows in zip(*each, strict=True)]
