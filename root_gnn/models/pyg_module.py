"""Any module of PyTorch Geometric, or one of your own written for it, as an encoder.

The module is called as `module(x, edge_index)`, with `batch`, the graph of each node, where its `forward` has an
argument of that name. `x (total_node, dim)` are the embedded inputs. It returns a row of width `dim` for each node,
whose mean then represents the graph, or a row for each graph.
"""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Literal, Self, final

import torch
from pydantic import Field, ValidationInfo, model_validator
from torch import Tensor, nn

from root_gnn.config.plugins import Allowed, named
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_mean
from root_gnn.nn.buckets import Buckets
from root_gnn.nn.mlp import MLP
from root_gnn.nn.neighbours import nearest
from root_gnn.nn.token_inputs import Coordinates, TokenInputs
from root_gnn.nn.widths import Width
from root_gnn.protocols import Encoder, EncoderConfig

PYG = "torch_geometric"


class Config(EncoderConfig):
    """Which class, and its arguments.

    `module` is the class's dotted name. A class of your own runs your code, so a run folder that names it is read only
    where it is allowed by name, as for any plug-in of your own. `gives`: whether the module returns rows for `nodes` or
    for `graphs`. `k`: edges from the k nearest nodes in (eta, phi) instead of all pairs.
    """

    module: str = "torch_geometric.nn.GraphSAGE"
    arguments: dict[str, Any] = Field(default={"in_channels": 64, "hidden_channels": 64, "num_layers": 3})
    gives: Literal["nodes", "graphs"] = "nodes"
    coordinates: Coordinates = "jet"
    dim: Width = 64
    k: Annotated[int, Field(ge=1)] | None = None
    bucket_nodes: Annotated[int, Field(ge=1)] = 1024

    @model_validator(mode="after")
    def _class_exists(self, info: ValidationInfo) -> Self:
        """Looks the class up where that is allowed; a configuration written in Python is its author's own."""
        allowed = info.context if isinstance(info.context, Allowed) else Allowed(everything=True)
        if not (self.module.startswith(f"{PYG}.") or allowed.everything):
            try:
                named(self.module, allowed)
            except InputError as error:
                raise ValueError(str(error)) from error
        return self

    def build(self, features: Features, scaling: Scaling) -> PygModule:
        """A new network; raises InputError where there is no such class or it does not take the arguments."""
        return PygModule(self, features, scaling)


@final
class PygModule(Encoder):
    """Represents a graph by the mean over its nodes, or by the module's row for it; `(n_graph, dim)`.

    Where the module returns rows for graphs only, a node is represented by its embedded inputs.
    """

    fixed_shapes = False

    def __init__(self, config: Config, features: Features, scaling: Scaling) -> None:
        super().__init__()
        self.dim, self.k, self.limit, self.name, self.gives = (
            config.dim,
            config.k,
            config.bucket_nodes,
            config.module,
            config.gives,
        )
        self.angles = [features.column(name) for name in ("eta", "phi")]
        self.inputs = TokenInputs(features, scaling, coordinates=config.coordinates)
        self.embed = MLP((self.inputs.dim,), config.dim, n_layer=1)
        self.module = _make(config)
        self.takes_batch = "batch" in inspect.signature(self.module.forward).parameters

    def forward(self, batch: Batch) -> Batch:
        """Returns representations in a batch.

        Raises InputError where the module's output does not have the shape of the section.
        """
        nodes = self.embed(self.inputs(batch))
        if self.gives == "graphs":
            return batch.replace(nodes=nodes, globals=self._run(batch, nodes, batch.n_graph))
        nodes = self._run(batch, nodes, batch.total_node)
        return batch.replace(nodes=nodes, globals=segment_mean(nodes, batch.graph_index, batch.n_node))

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """`embedding`: the mean over nodes; `graph`: the representation. `(n_graph, dim)` each."""
        embedded = self.embed(self.inputs(batch))
        return {"embedding": segment_mean(embedded, batch.graph_index, batch.n_node), "graph": self(batch).globals}

    def _run(self, batch: Batch, nodes: Tensor, n_row: int) -> Tensor:
        keywords = {"batch": batch.graph_index} if self.takes_batch else {}
        out: Tensor = self.module(nodes, torch.stack(self._edges(batch)), **keywords)
        if out.shape != (n_row, self.dim):
            raise InputError(
                f"the module {self.name} gave {tuple(out.shape)} where {n_row} {self.gives} of width dim = {self.dim} "
                "were expected; set `gives` to nodes or graphs, and `dim` to the width it gives"
            )
        return out

    def _edges(self, batch: Batch) -> tuple[Tensor, Tensor]:
        if self.k is None or batch.total_node == 0:
            return batch.edge_index()
        return nearest(
            batch.nodes[:, self.angles], Buckets.of(batch.n_node, batch.graph_index, self.limit), self.k, angle=1
        )


def _make(config: Config) -> nn.Module:
    kind = named(config.module, Allowed(everything=True))
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise InputError(f"{config.module} is not a torch module; the dotted name of a class was expected")
    try:
        module: nn.Module = kind(**config.arguments)
    except TypeError as error:
        raise InputError(f"{config.module} does not take the arguments {config.arguments}: {error}") from error
    return module
