"""An objective of your own: predict the invariant mass of everything in the event. No label is needed.

The mass of all objects is not a sum over objects, so the network has to learn how momenta add up.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn, stack

from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.segment import segment_sum
from root_gnn.protocols import STILL, Encoder, Objective, ObjectiveConfig, Question


class Config(ObjectiveConfig):
    """The `objective` section of a recipe: `name: examples.own_objective`."""

    def build(self, encoder: Encoder, question: Question) -> VisibleMass:
        """A new objective around an encoder, for the columns that the data have."""
        return VisibleMass(encoder, question)


class VisibleMass(Objective):
    """Huber loss of the logarithm of the mass, read from the representation of the event by one linear layer."""

    measures = ("resolution",)

    def __init__(self, encoder: Encoder, question: Question) -> None:
        super().__init__()
        self.encoder = encoder
        columns = ("pt", "eta", "phi", "energy")
        self.columns = [question.features.column(name) for name in columns]
        self.out = nn.Linear(encoder.dim, 1)

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        """`loss`, and `resolution`: the mean absolute difference of logarithms, about the relative error."""
        target = self.mass(batch).log()
        predicted = self.out(self.encoder(batch).globals).float()
        return {"loss": F.huber_loss(predicted, target), "resolution": (predicted - target).abs().mean()}

    def mass(self, batch: Batch) -> Tensor:
        """Invariant mass of all objects of each event in GeV, at least 1, `(n_graph, 1)`."""
        pt, eta, phi, energy = batch.nodes[:, self.columns].double().unbind(dim=1)
        momenta = stack([pt * phi.cos(), pt * phi.sin(), pt * eta.sinh(), energy], dim=1)
        x, y, z, e = segment_sum(momenta, batch.graph_index, batch.n_graph).unbind(dim=1)
        mass: Tensor = (e**2 - x**2 - y**2 - z**2).clamp(min=1.0).sqrt().float()[:, None]
        return mass
