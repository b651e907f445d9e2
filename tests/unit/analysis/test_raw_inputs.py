from __future__ import annotations

import numpy as np
import pytest
import torch

from root_gnn.analysis.raw_inputs import hardest_nodes, pooled
from root_gnn.graph.batch import Batch

N_NODE = [3, 0, 5, 1]


@pytest.fixture
def batch() -> Batch:
    nodes = torch.from_numpy(np.random.default_rng(1).normal(size=(sum(N_NODE), 3)).astype(np.float32))
    return Batch.of(nodes, torch.tensor(N_NODE), globals=torch.arange(8.0).reshape(4, 2))


def test_pooled_columns_are_means_sums_and_globals(batch: Batch) -> None:
    found = pooled(batch).numpy()
    assert found.shape == (4, 8)
    for row, rows, of_graph in zip(found, batch.nodes.split(N_NODE), batch.globals.numpy(), strict=True):
        values = rows.numpy().astype(np.float64)
        mean = values.mean(axis=0) if len(values) else np.zeros(3)
        assert row == pytest.approx(np.concatenate([mean, values.sum(axis=0), of_graph]))


def test_the_hardest_nodes_stand_first_and_the_rest_is_zero(batch: Batch) -> None:
    found = hardest_nodes(batch, pt=1, n_node=4).numpy().reshape(4, 4, 3)
    for row, rows in zip(found, batch.nodes.split(N_NODE), strict=True):
        hardest = sorted(rows.numpy(), key=lambda node: -node[1])[:4]
        assert np.array_equal(row[: len(hardest)], np.array(hardest).reshape(-1, 3))
        assert not row[len(hardest) :].any()
