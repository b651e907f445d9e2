"""What DDP has to wait for: weights without gradient, and averages that change."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import STILL, Objective
from root_gnn.testing import TinyEncoder, random_batch
from root_gnn.training.ddp import ddp_strategy


class Events(Dataset[Batch]):
    def __getitem__(self, rows: NDArray[np.int64]) -> Batch:
        return random_batch(Features(), [2, 3], seed=int(rows[0]))


class Toy(Objective):
    """Reads the globals, and leaves a layer out where told."""

    def __init__(self, *, leaves_out: bool, norm: bool) -> None:
        super().__init__()
        self.encoder = TinyEncoder(Features())
        self.head = nn.Linear(self.encoder.dim, 1)
        self.unused = nn.Linear(1, 1) if leaves_out else nn.Identity()
        self.norm = nn.BatchNorm1d(self.encoder.dim) if norm else nn.Identity()

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        encoded = self.encoder(batch)
        return {"loss": self.head(self.norm(encoded.globals)).square().mean() + encoded.nodes.square().mean()}


@pytest.mark.parametrize("leaves_out", [False, True])
@pytest.mark.parametrize("norm", [False, True])
def test_it_waits_only_for_what_is_needed(leaves_out: bool, norm: bool) -> None:
    batches: DataLoader[Batch] = DataLoader(Events(), batch_size=None, sampler=[np.arange(2)])
    objective = Toy(leaves_out=leaves_out, norm=norm)
    settings = ddp_strategy(objective, batches)._ddp_kwargs
    assert settings["find_unused_parameters"] is leaves_out
    assert settings["forward_sync_buffers"] is norm
    assert objective.training and all(parameter.grad is None for parameter in objective.parameters())
