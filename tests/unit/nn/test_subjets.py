"""Subjets as tokens: who belongs to which, their momenta, their embeddings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from root_gnn.graph.batch import Batch
from root_gnn.kinematics.fourvectors import to_cartesian
from root_gnn.nn.subjets import AttentionEmbedding, ColumnSubjets, FlatEmbedding, Subjets

# two jets, the second without constituents, and a third: numbers of subjets with gaps, -1 among them
NUMBER = torch.tensor([3, -1, 3, 7, 7])
PT = torch.tensor([10.0, 5.0, 30.0, 1.0, 2.0])
BATCH = Batch.of(torch.stack([PT, NUMBER.float()], 1), torch.tensor([3, 0, 2]))


def test_constituents_are_grouped_by_jet_and_number_the_hardest_first() -> None:
    subjets = Subjets.of(BATCH, NUMBER, PT)
    assert subjets.of_node.tolist() == [1, 0, 1, 2, 2]
    assert subjets.order.tolist() == [1, 2, 0, 4, 3]
    assert subjets.n_constituent.tolist() == [1, 2, 2] and subjets.n_subjet.tolist() == [2, 0, 1]
    assert subjets.constituents(BATCH.nodes).nodes[:, 0].tolist() == [5.0, 30.0, 10.0, 2.0, 1.0]


def test_the_momentum_of_a_subjet_is_the_sum_of_its_constituents() -> None:
    generator = torch.Generator().manual_seed(1)
    kinematics = torch.rand(5, 4, generator=generator, dtype=torch.float64) + 1.0
    got = Subjets.of(BATCH, NUMBER, PT).momenta(kinematics)
    for subjet, own in enumerate(([1], [0, 2], [3, 4])):
        expected = [float(part[own].sum()) for part in to_cartesian(*kinematics[:, :3].unbind(1))]
        assert [float(part) for part in to_cartesian(*got[subjet, :3])] == pytest.approx(expected)
        assert float(got[subjet, 3]) == pytest.approx(float(kinematics[own, 3].sum()))


def test_a_column_of_numbers_is_rounded() -> None:
    assert ColumnSubjets(1)(BATCH, BATCH.nodes).tolist() == NUMBER.tolist()


@pytest.mark.parametrize(
    "embedding",
    [
        lambda: FlatEmbedding(2, 8, n_constituent=2, n_layer=1),
        lambda: AttentionEmbedding(2, 8, n_head=1, n_block=1, limit=4),
    ],
)
def test_a_subjet_is_embedded_from_its_own_constituents(embedding: Callable[[], torch.nn.Module]) -> None:
    torch.manual_seed(1)
    network = embedding()
    rows = Subjets.of(BATCH, NUMBER, PT).constituents(BATCH.nodes)
    changed = rows.replace(nodes=torch.cat([rows.nodes[:1] * torch.tensor([-1.0, 1.0]), rows.nodes[1:]]))
    before, after = network(rows), network(changed)
    assert before.shape == (3, 8)
    assert not torch.equal(after[0], before[0]) and torch.allclose(after[1:], before[1:])
