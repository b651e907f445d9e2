"""The leak check finds an encoder that reads masked nodes, an empty mask, and a loss that ignores masked nodes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.subgraph import subgraph
from root_gnn.protocols import STILL, Masked
from root_gnn.testing import TinyEncoder, check_hidden, random_batch


class Toy(Masked):
    """Predicts the summed pt of masked nodes; `fault` says what it does wrongly."""

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault, self.encoder = fault, TinyEncoder(Features())
        self.out = nn.Linear(self.encoder.dim, 1)
        if "target" in fault:
            self.target = nn.Linear(2, 2).requires_grad_(fault == "trained target")

    def mask(self, batch: Batch, draws: RandomStream = STILL) -> Tensor:
        mask = torch.zeros(batch.total_node, dtype=torch.bool)
        first = batch.n_node.cumsum(0) - batch.n_node
        mask[first[batch.n_node > (0 if self.fault == "masks whole graphs" else 1)]] = self.fault != "masks nothing"
        return mask

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        mask = self.mask(batch, draws)
        shown = batch if self.fault == "reads everything" else subgraph(batch, ~mask)
        predicted = self.out(self.encoder(shown).globals)[:, 0]
        target = torch.zeros(batch.n_graph, dtype=batch.nodes.dtype)
        if self.fault != "ignores masked nodes":
            target = target.index_add(0, batch.graph_index[mask], batch.nodes[mask, 0].detach().log())
        return {"loss": (predicted - target).square().mean()}


def batch() -> Batch:
    return random_batch(Features(), [4, 2, 1, 5], seed=2)


def test_a_correct_objective_passes() -> None:
    check_hidden(Toy(), batch())


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("masks nothing", "no node is masked"),
        ("masks whole graphs", "all nodes of a graph are masked"),
        ("trained target", "the target's weights require gradients"),
        ("still target", "the target does not move after a step"),
        ("reads everything", "the encoder reads 12 nodes, and 9 are not masked"),
        ("ignores masked nodes", "masked nodes do not contribute to the loss"),
    ],
)
def test_a_fault_is_found(fault: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_hidden(Toy(fault), batch())
