"""Random numbers of augmentations depend on the event, not on its position, its neighbours or the process."""

from __future__ import annotations

import pytest
import torch

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import random_batch

DRAWS = RandomStream(seed=3, epoch=5)


def batch() -> Batch:
    return random_batch(Features(), (3, 1, 0, 4, 2), seed=1)


def test_order_and_company_do_not_matter() -> None:
    whole, picked = batch(), torch.tensor([3, 1])
    assert torch.equal(DRAWS.uniform(whole.select(picked), 2), DRAWS.uniform(whole, 2)[picked])
    rows = torch.cat([torch.arange(4, 8), torch.tensor([3])])
    assert torch.equal(DRAWS.uniform_nodes(whole.select(picked), 2), DRAWS.uniform_nodes(whole, 2)[rows])


def test_ranks_and_workers_do_not_matter() -> None:
    """Two processes with half of the events each draw what one with all of them draws."""
    whole = batch()
    halves = [whole.select(torch.arange(rank, whole.n_graph, 2)) for rank in range(2)]
    together = torch.empty(whole.n_graph, dtype=torch.float64)
    for rank, half in enumerate(halves):
        together[rank::2] = RandomStream(seed=3, epoch=5).uniform(half, 0)
    assert torch.equal(together, DRAWS.uniform(whole, 0))


@pytest.mark.parametrize(
    "other",
    [
        RandomStream(seed=4, epoch=5),
        RandomStream(seed=3, epoch=6),
        RandomStream(seed=3, epoch=5, view=1),
        RandomStream(seed=3, epoch=5, place=1),
    ],
)
def test_every_coordinate_makes_other_numbers(other: RandomStream) -> None:
    assert not bool((other.uniform(batch(), 0) == DRAWS.uniform(batch(), 0)).any())
    assert not bool((other.uniform_nodes(batch(), 0) == DRAWS.uniform_nodes(batch(), 0)).any())


def test_streams_and_nodes_differ() -> None:
    assert not bool((DRAWS.uniform(batch(), 0) == DRAWS.uniform(batch(), 1)).any())
    nodes = DRAWS.uniform_nodes(batch(), 0)
    assert nodes.shape == (10,) and len(set(nodes.tolist())) == 10
    assert bool(((nodes >= 0) & (nodes < 1)).all())


def test_events_without_ids_are_refused() -> None:
    for draw in (DRAWS.uniform, DRAWS.uniform_nodes):
        with pytest.raises(ValueError, match="event ids"):
            draw(batch().replace(ids=None), 0)
