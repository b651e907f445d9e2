"""An encoder of your own: a sum over objects, each weighted by its share of the transverse momentum.

It has no edges between objects: a baseline for networks that have them. Weights of momentum fractions are those of
energy flow networks (Komiske, Metodiev, Thaler 2018, arXiv:1810.05165); they let the network see directions only, which
makes them safe against soft and collinear radiation. This one shows the network every column.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_sum
from root_gnn.nn.inputs import GlobalInputs
from root_gnn.nn.token_inputs import TokenInputs
from root_gnn.protocols import Encoder, EncoderConfig


class Config(EncoderConfig):
    """The `model` section of a recipe: `name: examples.own_encoder`, and the width `dim`."""

    dim: int = 32

    def build(self, features: Features, scaling: Scaling) -> MomentumFlow:
        """A new network for data with these columns."""
        return MomentumFlow(self.dim, features, scaling)


class MomentumFlow(Encoder):
    """Maps each object by one network, and the weighted sum of an event's objects by another."""

    def __init__(self, dim: int, features: Features, scaling: Scaling) -> None:
        super().__init__()
        self.dim = dim
        self.pt = features.column("pt")
        self.inputs = TokenInputs(features, scaling, coordinates="event")  # scaled columns, one-hot types
        self.global_inputs = GlobalInputs(features, scaling)
        self.per_object = nn.Sequential(nn.Linear(self.inputs.dim, dim), nn.GELU(), nn.Linear(dim, dim), nn.GELU())
        self.per_event = nn.Linear(dim + self.global_inputs.dim, dim)

    def forward(self, batch: Batch) -> Batch:
        """The batch with nodes `(total_node, dim)` and globals `(n_graph, dim)` replaced by representations."""
        nodes, _, globals = self.steps(batch)
        return batch.replace(nodes=nodes, globals=globals)

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """What CKA compares, `(n_graph, dim)` each."""
        _, total, globals = self.steps(batch)
        return {"step_1": total, "step_2": globals}

    def steps(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Representations of the objects, their weighted sum, and the representation of each event."""
        pt = batch.nodes[:, [self.pt]]
        total_pt = segment_sum(pt, batch.graph_index, batch.n_graph).clamp(
            min=1e-6
        )  # GeV; events without objects have 0
        nodes = self.per_object(self.inputs(batch))
        weighted = nodes * (pt / total_pt[batch.graph_index]).to(nodes.dtype)
        total = segment_sum(weighted, batch.graph_index, batch.n_graph)
        return nodes, total, self.per_event(torch.cat([total, self.global_inputs(batch)], dim=1))
