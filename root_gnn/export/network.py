"""The network that is exported: raw features in, probabilities out, for any number of graphs and nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.nn.token_inputs import SUBJET
from root_gnn.protocols import Objective, Supervised
from root_gnn.runs.build import question
from root_gnn.runs.run import Run

UNITS = {"pt": "GeV", "energy": "GeV", "mass": "GeV", "phi": "rad"}
N_ADDED = 3  # nodes of the graph that is added to every batch


@dataclass(frozen=True)
class Signature:
    """Names of inputs and outputs.

    Attributes:
        nodes: the columns of `nodes (total_node, n_feature)`, float32, GeV and radians.
        globals: the columns of `globals (n_graph, n_global)`, float32; without columns there is no such input.
        whole_events: whether there is an input `event (n_graph,)`, int64, the same number for all jets of an event.
        outputs: names of the columns of the output, classes or labels; empty for representations.
        link: the function from logits to outputs; empty for representations.
        dim: number of columns of the output.
    """

    nodes: tuple[str, ...]
    globals: tuple[str, ...]
    whole_events: bool
    outputs: tuple[str, ...]
    link: Literal["softmax", "sigmoid", ""]
    dim: int

    @property
    def inputs(self) -> dict[str, str]:
        """For each input the name of its first axis, which varies; `n_node (n_graph,)`, int64, counts nodes."""
        inputs = {"nodes": "total_node", "n_node": "n_graph"}
        inputs |= {"globals": "n_graph"} if self.globals else {}
        return inputs | ({"event": "n_graph"} if self.whole_events else {})

    @property
    def output(self) -> str:
        """The name of the output, `(n_graph, dim)`."""
        return "probabilities" if self.outputs else "representation"

    @property
    def units(self) -> tuple[str, ...]:
        """The unit of each node column, empty if it has none."""
        return tuple(UNITS.get(name, "") for name in self.nodes)

    def arguments(self, batch: Batch, extra_inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns the inputs for a batch; `extra_inputs` is the result of `Encoder.extra_inputs` for it."""
        nodes = torch.cat([batch.nodes, *(column.unsqueeze(1) for column in extra_inputs.values())], dim=1)
        named = {"nodes": nodes, "n_node": batch.n_node, "globals": batch.globals[:, 1:]}
        if self.whole_events and batch.ids is not None:
            named["event"] = torch.unique(batch.ids[:, :-1], dim=0, return_inverse=True)[1]
        return {name: named[name] for name in self.inputs}


class Network(nn.Module):
    """A trained objective as a function of plain tensors.

    A constant graph is added to every batch, and its output is removed again: then no size is ever 0 or 1, which
    tracing would treat as a constant, and batches without any node need no special case. Graphs do not influence each
    other.
    """

    added: Tensor

    def __init__(self, objective: Objective, features: Features, signature: Signature) -> None:
        """Wraps a trained objective, whose nodes have the columns `features`."""
        super().__init__()
        self.objective, self.signature = objective, signature
        columns = {"pt": (1.0, 1.0, 1.0), "energy": (1.0, 1.0, 1.0), SUBJET: (0.0, 0.0, 1.0)}
        self.register_buffer(
            "added", torch.tensor([columns.get(name, (0.0,) * N_ADDED) for name in features.nodes]).T.contiguous()
        )

    def forward(
        self, nodes: Tensor, n_node: Tensor, globals: Tensor | None = None, event: Tensor | None = None
    ) -> Tensor:
        """Maps the inputs that `Signature` describes to the output, `(n_graph, dim)`."""
        batch = Batch.of(
            torch.cat([nodes, self.added]), torch.cat([n_node, n_node.new_full((1,), N_ADDED)]), ids=_ids(event)
        )
        torch._check(batch.n_edge >= N_ADDED)  # type: ignore[no-untyped-call]
        if globals is not None:
            further = torch.cat([globals, globals.new_zeros(1, globals.shape[1])])
            batch = batch.replace(globals=torch.cat([batch.globals, further], dim=1))
        if not isinstance(self.objective, Supervised):
            representation: Tensor = self.objective.encoder(batch).globals
            return representation[:-1]
        logits = self.objective.logits(batch)[:-1]
        return torch.softmax(logits, dim=1) if self.signature.link == "softmax" else torch.sigmoid(logits)


def network_of(run: Run, extra_inputs: tuple[str, ...] = ()) -> Network:
    """Builds the network of a run from exportable layers, with `extra_inputs` as further node columns.

    Raises InputError if the weights do not fit these layers.
    """
    trained, recipe = run.objective, run.recipe
    features = replace(run.spec.features(), nodes=(*run.spec.features().nodes, *extra_inputs))
    objective = recipe.objective.build(
        recipe.model.exportable().build(features, run.scaling), question(recipe.data, run.spec, run.scaling)
    )
    try:
        objective.load_state_dict(trained.state_dict(), strict=True)
    except RuntimeError as error:
        raise InputError(
            f"{run.folder}: its encoder reads {', '.join(extra_inputs)} of another program "
            f"and has no form with that as an input; call the column {SUBJET} (model.column) and train again"
        ) from error
    signature = Signature(
        features.nodes, features.globals[1:], recipe.objective.whole_events, (), "", trained.encoder.dim
    )
    if isinstance(trained, Supervised):
        signature = replace(signature, outputs=trained.outputs(), link=trained.link, dim=len(trained.outputs()))
    return Network(objective.eval().requires_grad_(False), features, signature).eval()


def _ids(event: Tensor | None) -> Tensor | None:
    """Returns ids `(n_graph + 1, 3)` that identify events and the added graph; the last column is the object's."""
    if event is None:
        return None
    is_added = torch.cat([torch.zeros_like(event), event.new_ones(1)])
    number = torch.cat([event, event.new_zeros(1)])
    return torch.stack([is_added, number, number], dim=1)
