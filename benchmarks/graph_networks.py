"""The published event network in our forms.

As something that can be trained and evaluated on rows of a set of events.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import Tensor, nn

from root_gnn.bench.limit import GraphNetwork
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.heads.mlp import Config as Head
from root_gnn.kernels.linear import Linear
from root_gnn.models.encode_process_decode import Backend, Config, EncodeProcessDecode

N_CLASS, N_STEP = 2, 4
PUBLISHED: dict[str, Any] = {  # as configs/pretrain_multiclass_faithful.yaml
    "n_steps": N_STEP,
    "activation": "relu",
    "activate_last": True,
    "residual": False,
    "share_steps": True,
    "aggregation": ("sum",),
    "pooling": ("mean",),
    "pair_features": ("delta_eta", "delta_phi", "delta_r"),
    "type_embedding": False,
    "absolute_phi": True,
    "dropout": 0.0,
}
NOT_OURS = ("auto", "pyg", "dgl")  # a choice among ours, and those of other libraries
RECOMPUTING = "recomputing"


@dataclass(frozen=True)
class Size:
    """Width of everything, and linear layers of each multilayer perceptron."""

    dim: int
    n_layer: int


class Network(nn.Module):
    """Encoder and decoder with seeded weights: the same for the same size and features, in every form."""

    def __init__(self, size: Size, events: Batch, features: Features, **form: Any) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            config = Config(dim=size.dim, n_layer=size.n_layer, **PUBLISHED, **form)
            self.encoder: EncodeProcessDecode = config.build(features, Scaling.fit([events], features))
            self.head = Head(n_layer=size.n_layer, activation="relu", dropout=0.0).build(size.dim, N_CLASS)

    def forward(self, batch: Batch) -> Tensor:
        """Logits, `(n_graph, 2)`."""
        logits: Tensor = self.head(self.encoder(batch))
        return logits


Collate = Callable[[Tensor], tuple[Any, Tensor]]


@dataclass(frozen=True)
class Contender:
    """An implementation: how it makes a batch of rows with its labels, and its network, which reads the batch."""

    collate: Collate
    network: nn.Module

    def trainer(self) -> Callable[[Any, Tensor], None]:
        """A training step on a batch and its labels (forward, backward, fused AdamW), with weights of its own."""
        network = copy.deepcopy(self.network).train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)

        def step(batch: Any, labels: Tensor) -> None:
            nn.functional.cross_entropy(network(batch), labels).backward()
            optimizer.step()
            optimizer.zero_grad()

        return step

    def exact(self) -> Contender:
        """The same in float64."""

        def collate(rows: Tensor) -> tuple[Any, Tensor]:
            batch, labels = self.collate(rows)
            return batch.replace(nodes=batch.nodes.double(), globals=batch.globals.double()), labels

        return Contender(collate, copy.deepcopy(self.network).double())

    def logits(self, batch: Any) -> Tensor:
        """The output without gradients, `(n_graph, 2)`."""
        with torch.no_grad():
            out: Tensor = self.network.eval()(batch)
            return out

    def gradient(self, batch: Any, labels: Tensor) -> Tensor:
        """Gradient of the loss in all weights, one vector."""
        self.network.zero_grad()
        nn.functional.cross_entropy(self.network(batch), labels).backward()
        found = torch.cat([weight.grad.flatten() for weight in self.network.parameters() if weight.grad is not None])
        self.network.zero_grad()
        return found


def forms() -> dict[str, dict[str, Any]]:
    """Settings of our own forms by name, those that work here.

    The native one, others of ours, and with recomputation.
    """
    found: dict[str, dict[str, Any]] = {name: {"form": name} for name in get_args(Backend) if name not in NOT_OURS}
    if "recompute" in Config.model_fields:
        found |= {f"{name}, {RECOMPUTING}": {**form, "recompute": True} for name, form in list(found.items())}
    return {name: form for name, form in found.items() if _works(form)}


def _works(form: dict[str, Any]) -> bool:
    try:
        Config(**PUBLISHED, **form).build(Features(), Scaling())
    except (InputError, ValueError):
        return False
    return True


def ours(size: Size, events: Batch, features: Features, form: dict[str, Any]) -> Contender:
    """One of our forms: a batch is selected from the arrays of all events.

    Sorted as the loader for training does.
    """

    def collate(rows: Tensor) -> tuple[Batch, Tensor]:
        batch = events.select(rows[torch.argsort(events.n_node[rows], stable=True)])
        return batch, batch.labels["label"]

    return Contender(collate, Network(size, events, features, **form))


def others(size: Size, events: Batch, features: Features, packages: Collection[str]) -> dict[str, Contender]:
    """The straightforward implementations in these packages, with the same weights."""
    network, found, labels = as_written(Network(size, events, features, form="native")), {}, events.labels["label"]

    def labelled(collate: Callable[[Tensor], Any]) -> Collate:
        return lambda rows: (collate(rows), labels[rows])

    if "dgl" in packages:
        from straightforward_dgl import DGLNetwork, dgl_collate

        found["dgl"] = Contender(
            labelled(dgl_collate(network.encoder, events)), DGLNetwork(network.encoder, network.head)
        )
    if "torch_geometric" in packages:
        from straightforward_pyg import PyGNetwork, pyg_collate

        found["pyg"] = Contender(
            labelled(pyg_collate(network.encoder, events)), PyGNetwork(network.encoder, network.head)
        )
    return found


def as_written(network: Network) -> Network:
    """The network with PyTorch's own linear layers in place of ours, which a straightforward implementation has not."""
    for layer in network.modules():
        if isinstance(layer, Linear):
            layer.__class__ = nn.Linear  # type: ignore[assignment]
    return network


def work(size: Size, batch: Batch, network: Network) -> GraphNetwork:
    """Floating-point work on a batch."""
    encoder = network.encoder
    return GraphNetwork(
        n_graph=batch.n_graph,
        n_node=batch.total_node,
        n_edge=batch.n_edge,
        node_dim=encoder.node_inputs.dim,
        edge_dim=encoder.pair_inputs.dim,
        global_dim=encoder.global_inputs.dim,
        dim=size.dim,
        n_layer=size.n_layer,
        n_step=N_STEP,
        n_output=N_CLASS,
    )
