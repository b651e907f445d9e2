"""The encode-process-decode graph network (Battaglia et al. 2018, arXiv:1806.01261) for whole events.

Nodes, edges and the global are encoded, `n_steps` graph-network steps exchange messages over complete graphs, and the
head decodes the global. The defaults differ from the published event network (Ho et al. 2024, arXiv:2412.10665) in
residual steps with weights of their own, a type embedding, the pair features of arXiv:2202.03772 on the edges, mean and
max aggregation, and in having no absolute azimuths among the inputs, which makes rotations about the beam an exact
symmetry.
`configs/pretrain_multiclass_faithful.yaml` sets everything as published.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Annotated, Literal, Self, final

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_mean
from root_gnn.kernels.library import library, why_not
from root_gnn.kinematics.pairs import PAIR_FEATURES
from root_gnn.nn.inputs import GlobalInputs, NodeInputs, PairInputs
from root_gnn.nn.message_passing import compiled as message_passing_compiled
from root_gnn.nn.message_passing import native as message_passing
from root_gnn.nn.message_passing.native import Aggregation, GraphNetworkStep, Runner, State, Topology
from root_gnn.nn.mlp import MLP, ActivationName
from root_gnn.nn.pair_feature_names import PairFeatureNames
from root_gnn.nn.widths import Width
from root_gnn.protocols import Encoder, EncoderConfig

Backend = Literal["auto", "compiled", "native", "pyg", "dgl"]


class Config(EncoderConfig):
    """Sizes and choices of the network; every default is the recommended one for events.

    `pooling` (nodes to global) is `aggregation` (edges to receiver) unless it is given. `form` is the backend, on the
    same weights: `compiled` is the compiled operator, `native` plain PyTorch, `auto` the compiled operator where it can
    run and else `native`; `pyg` and `dgl`, for comparison and for users of those libraries, are PyTorch Geometric and
    DGL. `recompute` keeps only the rows of edges for the backward pass, about a third of the memory, and computes the
    layers before them again.
    """

    dim: Width = 64
    n_steps: Annotated[int, Field(ge=1)] = 3
    n_layer: Annotated[int, Field(ge=1)] = 2
    activation: ActivationName = "gelu"
    activate_last: bool = False
    residual: bool = True
    share_steps: bool = False
    aggregation: Annotated[tuple[Aggregation, ...], Field(min_length=1)] = ("mean", "max")
    pooling: Annotated[tuple[Aggregation, ...], Field(min_length=1)] | None = None
    pair_features: PairFeatureNames = PAIR_FEATURES
    type_embedding: bool = True
    absolute_phi: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    form: Backend = "auto"
    recompute: bool = False

    @model_validator(mode="after")
    def _recompute_needs_own_backend(self) -> Self:
        if self.recompute and self.form in ("pyg", "dgl"):
            raise ValueError(f"recompute: the form {self.form} keeps everything; use form: auto")
        return self

    def build(self, features: Features, scaling: Scaling) -> EncodeProcessDecode:
        """A new network for batches with these columns.

        Raises MissingExtraError where the package of the backend `form` is not installed, InputError where `form:
        compiled` is not available.
        """
        return EncodeProcessDecode(self, features, scaling)

    def exportable(self) -> Self:
        """Returns the config of the same network on PyTorch's own operations, which ONNX has."""
        return self.model_copy(update={"form": "native", "recompute": False})


@final
class EncodeProcessDecode(Encoder):
    """Event representation: the global after the last step, `(n_graph, dim)`."""

    def __init__(self, config: Config, features: Features, scaling: Scaling) -> None:
        super().__init__()
        self.dim = config.dim
        self.n_steps = config.n_steps
        self.runner = _runner(config)
        self.node_inputs = NodeInputs(
            features, scaling, absolute_phi=config.absolute_phi, one_hot_type=config.type_embedding
        )
        self.pair_inputs = PairInputs(features, scaling, names=config.pair_features)
        self.global_inputs = GlobalInputs(features, scaling)

        def encoder(width: int) -> MLP:
            return MLP(
                (width,),
                config.dim,
                n_layer=config.n_layer,
                activation=config.activation,
                activate_last=config.activate_last,
            )

        self.encode_nodes = encoder(self.node_inputs.dim)
        self.encode_edges = encoder(self.pair_inputs.dim)
        self.encode_globals = encoder(self.global_inputs.dim)
        self.steps = nn.ModuleList(
            GraphNetworkStep(
                config.dim,
                n_layer=config.n_layer,
                activation=config.activation,
                dropout=config.dropout,
                activate_last=config.activate_last,
                aggregation=config.aggregation,
                pooling=config.pooling or config.aggregation,
                residual=config.residual,
            )
            for _ in range(1 if config.share_steps else config.n_steps)
        )

    def encode(self, batch: Batch, topology: Topology) -> State:
        """The state before the first step, from physical features."""
        run = self.runner.rows
        return State(
            run(self.encode_edges, self.pair_inputs(batch.nodes, topology.senders, topology.receivers)),
            run(self.encode_nodes, self.node_inputs(batch.nodes)),
            run(self.encode_globals, self.global_inputs(batch)),
        )

    def step(self, k: int) -> GraphNetworkStep:
        """The module of step `k`; the same one for all where weights are shared."""
        module = self.steps[k % len(self.steps)]
        assert isinstance(module, GraphNetworkStep)
        return module

    def states(self, batch: Batch, topology: Topology) -> Iterator[State]:
        """The encoded state, then the one after each step."""
        state = self.encode(batch, topology)
        yield state
        yield from self.runner.steps((self.step(k) for k in range(self.n_steps)), state, topology)

    def forward(self, batch: Batch) -> Batch:
        """Returns representations of nodes `(total_node, dim)` and of graphs `(n_graph, dim)` in a batch."""
        last = deque(self.states(batch, Topology.of(batch)), maxlen=1).pop()
        return batch.replace(nodes=last.nodes, globals=last.globals)

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """`encoder`, `step_1` ...: the global and the mean over nodes, concatenated, `(n_graph, 2 * dim)` each."""
        topology = Topology.of(batch)
        names = ("encoder", *(f"step_{k + 1}" for k in range(self.n_steps)))
        return {
            name: _summary(state, topology) for name, state in zip(names, self.states(batch, topology), strict=True)
        }


def _summary(state: State, topology: Topology) -> Tensor:
    return torch.cat([state.globals, segment_mean(state.nodes, topology.graph_index, topology.n_node)], dim=1)


def _runner(config: Config) -> Runner:
    if config.form == "pyg":
        from root_gnn.nn.message_passing.pyg import pyg_runner as pyg_runner

        return pyg_runner()
    if config.form == "dgl":
        from root_gnn.nn.message_passing.dgl import dgl_runner as dgl_runner

        return dgl_runner()
    if config.form == "native":
        return message_passing.native_runner(recompute=config.recompute)
    if config.form == "compiled" and library() is None:
        raise InputError(f"model.form is compiled, but the compiled operator is {why_not()}; use form: auto")
    return message_passing_compiled.compiled_runner(recompute=config.recompute)
