"""The spread of representations by loops over pairs, and the alarm."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from root_gnn.analysis.embed import effective_rank, mean_cosine
from root_gnn.data.events.loader import BatchSampler, EventLoader
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.objectives.jepa import Config
from root_gnn.protocols import Question
from root_gnn.testing import TinyEncoder, random_batch
from root_gnn.training.callbacks.collapse import SPREAD, Collapse, spread
from root_gnn.training.config import TrainConfig
from root_gnn.training.fit import fit
from root_gnn.training.optim import OptimConfig


def rows(n: int = 13, dim: int = 5) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(1)) + 0.5


def test_figures_are_those_of_loops_and_of_embed() -> None:
    z = rows()
    found = spread(z)
    assert tuple(found) == SPREAD
    array = z.double().numpy()
    assert found["ssl/cosine"] == pytest.approx(mean_cosine(array), rel=1e-9)
    assert found["ssl/effective_rank"] == pytest.approx(effective_rank(array), rel=1e-6)
    unit = array / (array**2).sum(1, keepdims=True) ** 0.5
    assert found["ssl/feature_std"] == pytest.approx(unit.std(axis=0).mean() * 5**0.5, rel=1e-9)
    pairs = [
        math.exp(-2.0 * float(((a - b) ** 2).sum())) for i, a in enumerate(unit) for j, b in enumerate(unit) if i != j
    ]
    assert found["ssl/uniformity"] == pytest.approx(math.log(sum(pairs) / len(pairs)), rel=1e-6)


def test_an_even_spread_and_none() -> None:
    even = spread(torch.randn(4000, 16, generator=torch.Generator().manual_seed(1)))
    assert even["ssl/feature_std"] == pytest.approx(1.0, abs=0.02) and even["ssl/effective_rank"] > 15.5
    none = spread(torch.ones(50, 16))
    assert none["ssl/feature_std"] == pytest.approx(0.0, abs=1e-9) and none["ssl/cosine"] == pytest.approx(1.0)
    assert none["ssl/effective_rank"] == pytest.approx(1.0)


def epoch(alarm: Collapse, z: Tensor) -> tuple[Any, dict[str, float]]:
    logged: dict[str, float] = {}
    trainer = SimpleNamespace(is_global_zero=True, current_epoch=2, should_stop=False)
    module = SimpleNamespace(log_dict=lambda values, **kwargs: logged.update(values))
    alarm.on_validation_batch_end(
        cast(pl.Trainer, trainer), cast(pl.LightningModule, module), {"representation": z}, None, 0
    )
    alarm.on_validation_epoch_end(cast(pl.Trainer, trainer), cast(pl.LightningModule, module))
    return trainer, logged


@pytest.mark.parametrize(
    "collapsed", [torch.ones(40, 8) + 1e-4 * rows(40, 8), rows(40, 1) @ torch.ones(1, 8)], ids=["a point", "a line"]
)
def test_the_alarm_says_so_once_and_stops_where_it_is_to(collapsed: Tensor, caplog: pytest.LogCaptureFixture) -> None:
    warning, stopping = Collapse("run", then="warn"), Collapse("run", then="stop")
    with caplog.at_level(logging.WARNING):
        trainer, logged = epoch(warning, collapsed)
        epoch(warning, collapsed)
    assert sum("run has collapsed: after epoch 3" in text for text in caplog.messages) == 1
    assert not trainer.should_stop and set(logged) == set(SPREAD)
    assert epoch(stopping, collapsed)[0].should_stop
    resumed = Collapse("run", then="stop")
    resumed.load_state_dict(stopping.state_dict())
    trainer.should_stop = False
    resumed.on_train_start(trainer, cast(pl.LightningModule, None))
    assert trainer.should_stop


def test_no_alarm_where_representations_differ() -> None:
    alarm = Collapse("run", then="stop")
    assert not epoch(alarm, rows(50, 8))[0].should_stop and not alarm.has_collapsed


def test_no_alarm_from_a_handful_of_events() -> None:
    """Two events lie on a line whatever the encoder does."""
    alarm = Collapse("run", then="stop")
    trainer, logged = epoch(alarm, rows(2, 8))
    assert logged["ssl/effective_rank"] == pytest.approx(1.0) and not trainer.should_stop and not alarm.has_collapsed


class Events(Dataset[Batch]):
    """Six graphs for some rows."""

    def __getitem__(self, rows: NDArray[np.int64]) -> Batch:
        return random_batch(Features(), [6, 9, 4, 5, 7, 3], seed=int(rows[0]))


@pytest.mark.parametrize(("then", "n_epoch"), [("warn", 3), ("stop", 1)])
def test_a_run_whose_encoder_is_constant_ends_where_it_is_to(then: str, n_epoch: int, tmp_path: Path) -> None:
    objective = Config().build(TinyEncoder(Features()), Question())
    with torch.no_grad():
        objective.encoder.graph.weight.zero_()
    objective.encoder.graph.requires_grad_(False)
    loader = EventLoader(
        Events(), batch_size=None, sampler=BatchSampler(np.arange(12), 6, seed=1), generator=torch.Generator()
    )
    held: DataLoader[Batch] = DataLoader(
        Events(), batch_size=None, sampler=[np.arange(6 * k, 6 * k + 6) for k in range(4)]
    )
    train = TrainConfig.model_validate({"max_epochs": 3, "batch_size": 6, "on_collapse": then})
    fit(
        objective,
        lambda rank, world: loader,
        held,
        train=train,
        optim=OptimConfig(lr=1e-3),
        augmentations=(),
        seed=1,
        folder=tmp_path,
        name="constant",
        n_graph=12,
        resume=False,
    )
    history = (tmp_path / "history.csv").read_text(encoding="utf-8")
    assert history.count("ssl/cosine") == n_epoch
