"""Small random batches and the smallest encoder, on which the conformance checks run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.segment import segment_mean
from root_gnn.kinematics.angles import wrap_phi
from root_gnn.kinematics.fourvectors import energy_of
from root_gnn.protocols import Encoder, Question

SIZES = (5, 1, 3, 0, 8, 2)  # graphs with one node and with none are included
SLOTS = ("higgs", "top1", "top2", "W", "Z")
QUESTION = Question(
    classes=("first", "second", "third"),
    truth=tuple(f"{slot}_{quantity}" for slot in SLOTS for quantity in ("exists", "pt", "eta", "phi", "m")),
)


def random_batch(features: Features, n_node: Sequence[int], *, seed: int, question: Question | None = None) -> Batch:
    """Returns random graphs with plausible columns, weights of both signs, unique ids and the labels of `question`.

    `n_node` is the number of nodes of each graph; momenta and energies are in GeV.
    """
    generator = torch.Generator().manual_seed(seed)
    count = torch.tensor(n_node, dtype=torch.int64)
    total, n_graph = int(count.sum()), count.shape[0]
    columns = _kinematics(total, generator)
    columns |= {
        "btag": torch.randint(2, (total,), generator=generator).float(),
        "charge": torch.randint(-1, 2, (total,), generator=generator).float(),
        "type": torch.randint(max(features.n_type, 1), (total,), generator=generator).float(),
    }
    nodes = [columns[name] if name in columns else torch.randn(total, generator=generator) for name in features.nodes]
    globals_ = [
        count.float() if name == "n_node" else torch.randn(n_graph, generator=generator) for name in features.globals
    ]
    labels = {} if question is None else _labels(question, n_graph, generator)
    return Batch.of(
        torch.stack(nodes, 1),
        count,
        globals=torch.stack(globals_, 1),
        labels=labels,
        weights=torch.rand(n_graph, generator=generator) + torch.where(torch.arange(n_graph) % 4 == 1, -1.0, 0.5),
        ids=torch.stack(
            [torch.randint(5, (n_graph,), generator=generator), torch.randperm(n_graph, generator=generator)], 1
        ),
    ).check()


def collimated(batch: Batch, features: Features, *, radius: float = 0.8) -> Batch:
    """Returns the batch with the nodes of each graph moved within `radius` of a random axis, as in a jet."""
    generator = torch.Generator().manual_seed(5)
    axis = torch.rand(batch.n_graph, 2, generator=generator)[batch.graph_index] * 2.0 - 1.0
    distance = radius * torch.rand(batch.total_node, generator=generator).sqrt()
    angle = 2.0 * torch.pi * torch.rand(batch.total_node, generator=generator)
    pt, eta, phi, energy = (features.column(name) for name in ("pt", "eta", "phi", "energy"))
    nodes = batch.nodes.clone()
    nodes[:, eta] = 2.0 * axis[:, 0] + distance * angle.cos()
    nodes[:, phi] = wrap_phi(torch.pi * axis[:, 1] + distance * angle.sin())
    nodes[:, energy] = energy_of(nodes[:, pt], nodes[:, eta], torch.full_like(distance, 0.14))
    return batch.replace(nodes=nodes)


def _kinematics(total: int, generator: torch.Generator) -> dict[str, Tensor]:
    pt = torch.exp(4.0 + 0.7 * torch.randn(total, generator=generator))
    eta = (1.5 * torch.randn(total, generator=generator)).clamp(-4.5, 4.5)
    phi = (2.0 * torch.rand(total, generator=generator) - 1.0) * torch.pi
    mass = 10.0 * torch.rand(total, generator=generator)
    return {"pt": pt, "eta": eta, "phi": phi, "energy": torch.hypot(pt * torch.cosh(eta), mass)}


def _labels(question: Question, n_graph: int, generator: torch.Generator) -> dict[str, Tensor]:
    labels = {}
    if question.classes:
        labels["label"] = torch.randint(len(question.classes), (n_graph,), generator=generator)
    momenta = {"pt": 80.0, "eta": 2.0, "phi": 2.0 * torch.pi, "m": 100.0}
    for name in question.truth:
        quantity = name.rpartition("_")[2]
        value = torch.rand(n_graph, generator=generator)
        middle = 0.5 if quantity in ("eta", "phi") else 0.0
        labels[name] = (value - middle) * momenta[quantity] if quantity in momenta else value.round()
    return labels


@final
class TinyEncoder(Encoder):
    """A minimal encoder for tests of objectives: one layer on each node and one on the mean of the nodes."""

    def __init__(self, features: Features, dim: int = 16) -> None:
        super().__init__()
        self.dim = dim
        self.node = nn.Linear(len(features.nodes), dim)
        self.graph = nn.Linear(dim + len(features.globals), dim)

    def forward(self, batch: Batch) -> Batch:
        """Returns representations of nodes `(total_node, dim)` and of graphs `(n_graph, dim)` in a batch."""
        nodes = torch.tanh(self.node(torch.asinh(batch.nodes)))
        mean = segment_mean(nodes, batch.graph_index, batch.n_node)
        return batch.replace(nodes=nodes, globals=torch.tanh(self.graph(torch.cat([mean, batch.globals], dim=1))))

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """`graph`: the representation."""
        return {"graph": self(batch).globals}


def shuffled_nodes(batch: Batch) -> Tensor:
    """Returns node indices `(total_node,)` in random order within each graph."""
    key = torch.rand(batch.total_node, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    return torch.argsort(batch.graph_index + key)


def double_precision(batch: Batch) -> Batch:
    """Returns the batch with nodes and globals in float64."""
    return batch.replace(nodes=batch.nodes.double(), globals=batch.globals.double())


def random_representations(n_node: Sequence[int], dim: int) -> Batch:
    """Returns a batch as a head reads it: random representations of width `dim` of graphs with `n_node` nodes."""
    generator = torch.Generator().manual_seed(2)
    batch = random_batch(Features(), n_node, seed=3)
    return batch.replace(
        nodes=torch.randn(batch.total_node, dim, generator=generator),
        globals=torch.randn(batch.n_graph, dim, generator=generator),
    )
