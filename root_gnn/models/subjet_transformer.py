"""The subjet transformer of J-JEPA (arXiv:2412.05333): subjets are the tokens.

The constituents of each subjet become one vector, by attention among them, by an MLP or by one linear layer; the
subjets of a jet then attend to each other. The node column `subjet` holds the number of each constituent's subjet;
without such a column FastJet clusters them. Removing a whole subjet leaves the others as they are, so clustering a
masked jet gives the subjets that are left. A constituent is represented by its subjet, so that the mean over the
constituents of a subjet is the subjet's representation, as for any other encoder.
"""

from __future__ import annotations

from typing import Annotated, Self, final

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from root_gnn.clustering.subjets import Algorithm
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_mean
from root_gnn.nn.attention import Block, block_states, initialise
from root_gnn.nn.buckets import Buckets
from root_gnn.nn.inputs import GlobalInputs
from root_gnn.nn.subjets import (
    LARGEST_NUMBER,
    AttentionEmbedding,
    ClusteredSubjets,
    ColumnSubjets,
    Embedding,
    FlatEmbedding,
    Subjets,
)
from root_gnn.nn.token_inputs import RELATIVE, SUBJET, Coordinates, TokenInputs, relative_to_jet
from root_gnn.nn.widths import Width, check_heads
from root_gnn.protocols import Encoder, EncoderConfig


class Config(EncoderConfig):
    """Sizes of the network, multiples of 8.

    `embedding` computes a subjet's vector from its constituents: `attention` with `n_particle_block` blocks, `mlp` or
    `linear`; the last two read the `n_constituent` hardest. `column` holds the numbers of the subjets; where the data
    has no such column, FastJet clusters them with `algorithm` and `radius`. With `at_most`, the softest subjets are
    merged into the last one. `bucket_nodes` is how many tokens go through the blocks at once: it changes speed and
    memory, nothing else.
    """

    coordinates: Coordinates = "jet"
    column: str = SUBJET
    algorithm: Algorithm = "cambridge"
    radius: Annotated[float, Field(gt=0)] = 0.2
    at_most: Annotated[int, Field(ge=1)] | None = None
    embedding: Embedding = "attention"
    n_constituent: Annotated[int, Field(ge=1)] = 30
    dim: Width = 64
    n_particle_block: Annotated[int, Field(ge=0)] = 1
    n_block: Annotated[int, Field(ge=1)] = 3
    n_head: Annotated[int, Field(ge=1)] = 8
    expansion: Annotated[int, Field(ge=1)] = 4
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    bucket_nodes: Annotated[int, Field(ge=1)] = 1024

    @model_validator(mode="after")
    def _heads(self) -> Self:
        check_heads(self.dim, self.n_head)
        return self

    def build(self, features: Features, scaling: Scaling) -> SubjetTransformer:
        """A new network for batches with these columns."""
        return SubjetTransformer(self, features, scaling)


@final
class SubjetTransformer(Encoder):
    """Represents a jet by the mean over its subjets and its global features through one layer, `(n_graph, dim)`.

    The host waits for the device a few times a pass, for the number of subjets, the sizes of the buckets and FastJet.
    """

    fixed_shapes = False

    def __init__(self, config: Config, features: Features, scaling: Scaling) -> None:
        super().__init__()
        self.dim, self.limit, self.column = config.dim, config.bucket_nodes, config.column
        self.number: ColumnSubjets | ClusteredSubjets = ClusteredSubjets(
            algorithm=config.algorithm, radius=config.radius
        )
        if config.column in features.nodes:
            self.number = ColumnSubjets(features.column(config.column))
        self.last = LARGEST_NUMBER if config.at_most is None else config.at_most - 1
        self.kinematic = [features.column(name) for name in ("pt", "eta", "phi", "energy")]
        self.inputs = TokenInputs(features, scaling, coordinates=config.coordinates)
        self.global_inputs = GlobalInputs(features, scaling)
        self.embed = _embedding(config, self.inputs.dim)
        self.place = nn.Linear(len(RELATIVE) + 1, config.dim)
        self.blocks = nn.ModuleList(
            Block(config.dim, config.n_head, expansion=config.expansion, dropout=config.dropout, scaled=False)
            for _ in range(config.n_block)
        )
        self.norm = nn.LayerNorm(config.dim)
        self.of_graph = nn.Linear(config.dim + self.global_inputs.dim, config.dim)
        initialise(self, self.blocks)

    def forward(self, batch: Batch) -> Batch:
        """Returns representations of nodes `(total_node, dim)` and of graphs `(n_graph, dim)` in a batch."""
        jets, of_node, states = self._states(batch)
        tokens = self.norm(states[-1])
        return batch.replace(nodes=tokens[of_node], globals=self._graph(jets, tokens))

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """`embedding`, `block_1` ...: the mean over subjets; `graph`: the representation. `(n_graph, dim)` each."""
        jets, _, states = self._states(batch)
        names = ("embedding", *(f"block_{k + 1}" for k in range(len(self.blocks))))
        means = {
            name: segment_mean(rows, jets.graph_index, jets.n_node) for name, rows in zip(names, states, strict=True)
        }
        return {**means, "graph": self._graph(jets, self.norm(states[-1]))}

    def extra_inputs(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the number of its subjet for each constituent, where FastJet clusters it."""
        if isinstance(self.number, ColumnSubjets):
            return {}
        return {self.column: self.number(batch, batch.nodes[:, self.kinematic]).to(batch.nodes.dtype)}

    def _graph(self, jets: Batch, tokens: Tensor) -> Tensor:
        pooled = segment_mean(tokens, jets.graph_index, jets.n_node)
        out: Tensor = self.of_graph(torch.cat([pooled, self.global_inputs(jets)], dim=1))
        return out

    def _states(self, batch: Batch) -> tuple[Batch, Tensor, list[Tensor]]:
        """Jets of subjets, the subjet of each constituent, and the tokens `(n_subjet, dim)` after each block."""
        kinematics = batch.nodes[:, self.kinematic]
        subjets = Subjets.of(batch, self.number(batch, kinematics).clamp(max=self.last), kinematics[:, 0])
        jets = Batch.of(subjets.momenta(kinematics), subjets.n_subjet, globals=batch.globals)
        if batch.total_node == 0:
            nothing = batch.nodes.new_zeros(0, self.dim)
            return jets, subjets.of_node, [nothing] * (1 + len(self.blocks))
        tokens = self.embed(subjets.constituents(self.inputs(batch))) + self.place(
            self._position(jets, subjets.n_constituent)
        )
        buckets = Buckets.of(jets.n_node, jets.graph_index, self.limit)
        padded = zip(buckets.parts, buckets.pad(tokens), strict=True)
        each = [block_states(self.blocks, rows, bucket.mask[:, None, None, :]) for bucket, rows in padded]
        return jets, subjets.of_node, [buckets.flat(rows) for rows in zip(*each, strict=True)]

    def _position(self, jets: Batch, n_constituent: Tensor) -> Tensor:
        """Position of a subjet in its jet, share of the momentum, and number of constituents: `(n_subjet, 6)`."""
        relative = relative_to_jet(jets, [0, 1, 2, 3])
        relative = (relative - self.inputs.centre) * self.inputs.width
        return torch.cat([relative, n_constituent.to(relative.dtype).log().unsqueeze(1)], dim=1)


def _embedding(config: Config, n_input: int) -> nn.Module:
    if config.embedding == "attention":
        return AttentionEmbedding(
            n_input, config.dim, n_head=config.n_head, n_block=config.n_particle_block, limit=config.bucket_nodes
        )
    return FlatEmbedding(
        n_input, config.dim, n_constituent=config.n_constituent, n_layer=2 if config.embedding == "mlp" else 1
    )
