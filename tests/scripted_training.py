"""A training whose validation losses are scripted, for tests of callbacks and of resuming."""

from __future__ import annotations

import csv
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from root_gnn.data.events.loader import BatchSampler, EventLoader
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import STILL, Objective
from root_gnn.testing import TinyEncoder, random_batch
from root_gnn.training.config import TrainConfig
from root_gnn.training.fit import FitResult, fit
from root_gnn.training.optim import OptimConfig

N_BATCH = 3


class Killed(BaseException):
    """What SIGKILL would be in a process of its own."""


class Scripted(Objective):
    """Its k-th validation has the k-th loss; `stop_in` tells where it is killed or told to end."""

    def __init__(
        self, losses: list[float], *, stop_in: tuple[str, int] | None = None, how: signal.Signals | None = None
    ) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.encoder, self.head = TinyEncoder(Features()), nn.Linear(TinyEncoder(Features()).dim, 1)
        self.losses, self.stop_in, self.how = losses, stop_in, how
        self.register_buffer("counts", torch.zeros(2, dtype=torch.int64))
        self.modes: list[bool] = []

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        counts: Tensor = self.get_buffer("counts")
        kind = "step" if self.training else "validation"
        place = int(counts[int(self.training)])
        counts[int(self.training)] += 1
        self.modes.append(self.training)
        if self.stop_in == (kind, place):
            if self.how is None:
                raise Killed
            os.kill(os.getpid(), self.how)
        loss = self.head(self.encoder(batch).globals).square().mean()
        return {"loss": loss if self.training else loss * 0.0 + self.losses[place]}


class Events(Dataset[Batch]):
    """Three graphs for three rows, drawn from the rows' numbers."""

    def __getitem__(self, rows: NDArray[np.int64]) -> Batch:
        return random_batch(Features(), [2, 3, 1], seed=int(rows[0]))


@dataclass
class Training:
    """One run folder and how its recipe reads; `go` trains or resumes in it."""

    folder: Path
    config: TrainConfig
    optim: OptimConfig = field(default_factory=lambda: OptimConfig(lr=1e-2, schedule="cosine", warmup=0.0))

    def go(self, objective: Objective, *, resume: bool = False) -> FitResult:
        sampler = BatchSampler(np.arange(3 * N_BATCH), 3, seed=1)
        loader = EventLoader(Events(), batch_size=None, sampler=sampler, generator=torch.Generator())
        held: DataLoader[Batch] = DataLoader(Events(), batch_size=None, sampler=[np.arange(3)])
        return fit(
            objective,
            lambda rank, world: loader,
            held,
            train=self.config,
            optim=self.optim,
            augmentations=(),
            seed=1,
            folder=self.folder,
            name="scripted",
            n_graph=9,
            resume=resume,
        )

    def checkpoint(self, name: str) -> dict[str, Tensor]:
        state: dict[str, Tensor] = torch.load(self.folder / "checkpoints" / f"{name}.ckpt", weights_only=True)[
            "state_dict"
        ]
        return state

    def rows(self, tag: str) -> list[tuple[int, int, float]]:
        with (self.folder / "history.csv").open(encoding="utf-8") as file:
            return [
                (int(row["epoch"]), int(row["step"]), float(row["value"]))
                for row in csv.DictReader(file)
                if row["tag"] == tag
            ]


def training(folder: Path, **keys: object) -> Training:
    folder.mkdir(exist_ok=True)
    return Training(folder, TrainConfig.model_validate({"max_epochs": 5, "batch_size": 3, "log_every": 1, **keys}))
