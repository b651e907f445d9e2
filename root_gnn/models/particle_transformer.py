"""The Particle Transformer (Qu, Li, Qian 2022, arXiv:2202.03772), for jets and for events.

Particles attend to each other with a bias made of ln kT, ln z, ln dR and ln m^2 of each pair; a class token then
attends to all of them and becomes the representation of the jet. The defaults are a small network without batch norm,
so that the representation of a jet never depends on the other jets of the batch, not even in training; `preset: paper`
is the published network.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, final

from pydantic import Field, model_validator
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_mean
from root_gnn.kinematics.pairs import ATTENTION_FEATURES
from root_gnn.nn.attention import Block, ClassAttention, block_states, initialise
from root_gnn.nn.buckets import Buckets
from root_gnn.nn.pair_bias import PairBias, dense_bias
from root_gnn.nn.pair_feature_names import SymmetricPairFeatureNames
from root_gnn.nn.token_inputs import Coordinates, TokenEmbedding, TokenInputs
from root_gnn.nn.widths import Width, check_heads
from root_gnn.protocols import Encoder, EncoderConfig

PAPER: dict[str, Any] = {
    "dim": 128,
    "n_block": 8,
    "n_class_block": 2,
    "n_head": 8,
    "embedding": (128, 512),
    "pair_hidden": (64, 64, 64),
    "batch_norm": True,
    "attention_dropout": 0.1,
}


class Config(EncoderConfig):
    """Sizes of the network: multiples of 8, the width of a head too, as the fast kernels of GPUs want them.

    `preset: paper` sets every size that is not given. `inputs` selects and orders the inputs of a particle, which
    weights from another program may need: see `nn.token_inputs`. `embedding` are the hidden layers before the blocks,
    `pair_features` what the bias of attention is computed from and `pair_hidden` the hidden layers in between.
    `bucket_nodes` is how many particles go through the blocks at once: it changes speed and memory, nothing else.
    """

    preset: Literal["paper"] | None = None
    coordinates: Coordinates = "jet"
    inputs: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    dim: Width = 64
    n_block: Annotated[int, Field(ge=1)] = 4
    n_class_block: Annotated[int, Field(ge=1)] = 1
    n_head: Annotated[int, Field(ge=1)] = 8
    embedding: tuple[Width, ...] = (64, 128)
    pair_features: SymmetricPairFeatureNames = ATTENTION_FEATURES
    pair_hidden: Annotated[tuple[Width, ...], Field(min_length=1)] = (32, 32)
    batch_norm: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    attention_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    bucket_nodes: Annotated[int, Field(ge=1)] = 1024

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, keys: Any) -> Any:
        return {**PAPER, **keys} if isinstance(keys, dict) and keys.get("preset") == "paper" else keys

    @model_validator(mode="after")
    def _heads(self) -> Self:
        check_heads(self.dim, self.n_head)
        return self

    def build(self, features: Features, scaling: Scaling) -> ParticleTransformer:
        """A new network for batches with these columns."""
        return ParticleTransformer(self, features, scaling)


@final
class ParticleTransformer(Encoder):
    """Represents a jet by its class token, `(n_graph, dim)`, a particle by the output of the last block.

    The host waits for the device once a pass, for the sizes of the buckets.
    """

    fixed_shapes = False

    def __init__(self, config: Config, features: Features, scaling: Scaling) -> None:
        super().__init__()
        self.dim, self.limit = config.dim, config.bucket_nodes
        self.inputs = TokenInputs(features, scaling, coordinates=config.coordinates, chosen=config.inputs)
        self.embed = TokenEmbedding(self.inputs.dim, (*config.embedding, config.dim), batch_norm=config.batch_norm)
        self.pairs = PairBias(
            features,
            scaling,
            config.n_head,
            names=config.pair_features,
            hidden=config.pair_hidden,
            batch_norm=config.batch_norm,
        )
        self.blocks = nn.ModuleList(
            Block(config.dim, config.n_head, dropout=config.dropout, attention_dropout=config.attention_dropout)
            for _ in range(config.n_block)
        )
        self.ask = ClassAttention(config.dim, config.n_head, n_block=config.n_class_block)
        initialise(self, self.blocks)

    def forward(self, batch: Batch) -> Batch:
        """Returns representations of nodes `(total_node, dim)` and of graphs `(n_graph, dim)` in a batch."""
        states, tokens = self.states(batch, self.inputs(batch))
        return batch.replace(nodes=states[-1], globals=tokens)

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """`embedding`, `block_1` ...: the mean over nodes; `class`: the class token. `(n_graph, dim)` each."""
        states, tokens = self.states(batch, self.inputs(batch), all_blocks=True)
        names = ("embedding", *(f"block_{k + 1}" for k in range(len(self.blocks))))
        means = {
            name: segment_mean(rows, batch.graph_index, batch.n_node) for name, rows in zip(names, states, strict=True)
        }
        return {**means, "class": tokens}

    def states(self, batch: Batch, inputs: Tensor, *, all_blocks: bool = False) -> tuple[list[Tensor], Tensor]:
        """Nodes after the last block, or with `all_blocks` after the embedding and every block, and the class tokens.

        Nodes are `(total_node, dim)` each, class tokens `(n_graph, dim)`. `inputs (total_node, n_input)` are those of
        `self.inputs`, or those that a network of another program was trained on.
        """
        embedded = self.embed(inputs)
        if batch.n_graph == 0:
            return [embedded] * (1 + len(self.blocks) if all_blocks else 1), embedded
        buckets = Buckets.of(batch.n_node, batch.graph_index, self.limit)
        each, tokens = [], []
        for bucket, rows, bias in zip(buckets.parts, buckets.pad(embedded), self.pairs(batch, buckets), strict=True):
            states = block_states(self.blocks, rows, dense_bias(bias, bucket))
            tokens.append(self.ask(states[-1], bucket.mask))
            each.append(states if all_blocks else states[-1:])
        return [buckets.flat(rows) for rows in zip(*each, strict=True)], buckets.per_graph(tokens)
