"""Pairs of simulations: who goes with whom, and batches that hold both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from root_gnn.data.events.config import DataConfig
from root_gnn.data.events.loader import evaluation_loader, train_loader
from root_gnn.data.events.resimulations import paired, partners
from root_gnn.data.events.table import EventTable, open_table
from root_gnn.errors import InputError


def test_the_first_goes_with_the_second_and_the_third_with_the_fourth() -> None:
    ids = np.array(
        [[1, 7, 2], [1, 7, 0], [2, 7, 0], [1, 7, 1], [1, 8, 1], [1, 8, 0], [1, 7, 3], [3, 0, 0], [3, 0, 1], [3, 0, 2]]
    )
    assert paired(ids, 2).tolist() == [6, 3, -1, -1, -1, 4, -1, 8, -1, -1]
    assert paired(ids[:1], 2).tolist() == [-1]


@pytest.fixture(scope="module")
def table(data_dir: Path) -> EventTable:
    return open_table(DataConfig(classes={"WH": ("WH.root",)}), data_dir)


def test_batches_hold_both_halves_in_the_same_order(table: EventTable) -> None:
    n = len(table)
    partner = np.full(n, -1)
    partner[: n // 2] = np.arange(n // 2, 2 * (n // 2))
    ids = table.ids[:]
    rows_of_all = np.arange(n)
    trained = train_loader(table, rows_of_all, 32, seed=1, partner=partner)
    for loader in (trained, evaluation_loader(table, rows_of_all, 32, partner=partner)):
        seen = []
        for batch in loader:
            assert batch.ids is not None and batch.n_graph % 2 == 0
            rows = [int(np.flatnonzero((ids == row).all(axis=1))[0]) for row in batch.ids.numpy()]
            half = batch.n_graph // 2
            assert partner[rows[:half]].tolist() == rows[half:]
            seen += rows[:half]
        assert len(set(seen)) == len(seen) and len(seen) >= n // 2 - 5


def test_events_simulated_once_are_refused_in_words(table: EventTable) -> None:
    with pytest.raises(InputError, match="--resimulate 2"):
        partners(table)


@pytest.mark.pythia
def test_simulated_pairs_train(tmp_path: Path) -> None:
    from root_gnn.runs.train import train
    from root_gnn.simulation.simulate import simulate

    simulate(["WH"], events=40, out=tmp_path, seed=1, resimulate=2)
    settings = (
        "data.classes={WH: WH.root}",
        "objective.pairs=resimulation",
        "objective.views=[[], [rotate_phi]]",
        "model.dim=8",
        "model.n_steps=1",
        "train.max_epochs=1",
        "train.batch_size=16",
        "data.split={train: 0.6, validation: 0.2, test: 0.2}",
    )
    run = train("pretrain_contrastive", overrides=settings, data_dir=tmp_path, run_dir=tmp_path / "run")
    assert run.objective.paired and "ssl/alignment" in (run.folder / "history.csv").read_text(encoding="utf-8")
