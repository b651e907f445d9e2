"""Padded batches hold what the ragged ones hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from root_gnn.config.loader import validate
from root_gnn.data.events.config import DataConfig
from root_gnn.data.events.dense import dense, dense_loader
from root_gnn.data.events.loader import train_loader
from root_gnn.data.events.table import EventTable, open_table


@pytest.fixture(scope="module")
def table(data_dir: Path) -> EventTable:
    return open_table(validate(DataConfig, {"classes": {"WH": "WH.root", "ZH": "ZH.root"}}), data_dir)


@pytest.mark.parametrize("length", [4, 30])
def test_padded_is_ragged_with_zeros(table: EventTable, length: int) -> None:
    index = np.random.default_rng(3).permutation(len(table))[:200]
    padded, ragged = dense(table, index, length), table.gather(index)
    assert padded.features.shape == (200, len(table.spec.node_features), length) and padded.mask.shape == (
        200,
        1,
        length,
    )
    first = 0
    for graph, n_node in enumerate(ragged.n_node.tolist()):
        n_here = min(n_node, length)
        assert torch.equal(padded.features[graph, :, :n_here].T, ragged.nodes[first : first + n_here])
        assert not padded.features[graph, :, n_here:].any()
        assert int(padded.mask[graph].sum()) == n_here and bool(padded.mask[graph, 0, :n_here].all())
        first += n_node
    assert torch.equal(padded.label, ragged.labels["label"])


def test_an_epoch_holds_every_event_once_in_the_seeded_order(table: EventTable) -> None:
    index = np.flatnonzero(table.n_node > 0)
    once = [batch.label for batch in dense_loader(table, index, 64, length=8, seed=5)]
    again = [batch.label for batch in dense_loader(table, index, 64, length=8, seed=5)]
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
    assert torch.cat(once).bincount().tolist() == np.bincount(table.label[index]).tolist()
    ragged = next(iter(train_loader(table, index, 64, seed=5)))
    assert torch.equal(ragged.labels["label"].sort().values, once[0].sort().values)


def test_no_events_are_an_empty_batch(table: EventTable) -> None:
    nothing = dense(table, np.zeros(0, dtype=np.int64), 3)
    assert nothing.n_graph == 0 and nothing.features.shape == (0, len(table.spec.node_features), 3)
