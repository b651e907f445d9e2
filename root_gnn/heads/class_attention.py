"""A class token that attends to the nodes, as in the Particle Transformer (arXiv:2202.03772).

Class attention is that of Touvron et al. 2021 (arXiv:2103.17239).
"""

from __future__ import annotations

from typing import Annotated, final

from pydantic import Field
from torch import Tensor, nn

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.nn.attention import ClassAttention, initialise
from root_gnn.nn.buckets import Buckets
from root_gnn.nn.widths import check_heads, most_heads
from root_gnn.protocols import Head, HeadConfig


class Config(HeadConfig):
    """`n_block` blocks of `n_head` attention heads; by default as many heads, at most 8, as the width allows.

    `bucket_nodes` is how many nodes are attended to at once: it changes speed and memory, nothing else.
    """

    n_block: Annotated[int, Field(ge=1)] = 2
    n_head: Annotated[int, Field(ge=1)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    bucket_nodes: Annotated[int, Field(ge=1)] = 1024

    def build(self, dim: int, n_output: int) -> ClassAttentionHead:
        """A new head for representations of width `dim`; raises InputError where the attention heads can't share it."""
        if self.n_head is not None:
            try:
                check_heads(dim, self.n_head)
            except ValueError as error:
                raise InputError(f"the head class_attention does not fit the encoder: {error}") from error
        return ClassAttentionHead(self, dim, n_output)


@final
class ClassAttentionHead(Head):
    """`Linear(class token)` after the token attended to the nodes; the encoder's globals are not read.

    The host waits for the device once a pass, for the sizes of the buckets.
    """

    fixed_shapes = False

    def __init__(self, config: Config, dim: int, n_output: int) -> None:
        super().__init__()
        self.limit = config.bucket_nodes
        self.norm = nn.LayerNorm(dim)
        self.ask = ClassAttention(dim, config.n_head or most_heads(dim), n_block=config.n_block, dropout=config.dropout)
        initialise(self)
        self.out = nn.Linear(dim, n_output)

    def features(self, batch: Batch) -> Tensor:
        """Returns the input of the last linear layer, `(n_graph, feature_dim)`."""
        buckets = Buckets.of(batch.n_node, batch.graph_index, self.limit)
        padded = zip(buckets.parts, buckets.pad(self.norm(batch.nodes)), strict=True)
        return buckets.per_graph([self.ask(rows, bucket.mask) for bucket, rows in padded])

    def forward(self, batch: Batch) -> Tensor:
        """Returns logits `(n_graph, n_output)` of an encoded batch."""
        logits: Tensor = self.out(self.features(batch))
        return logits
