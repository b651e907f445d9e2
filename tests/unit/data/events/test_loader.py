"""Loaders: every event once, another order each epoch, resumed in the middle, ranks that add up."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.config.loader import validate
from root_gnn.data.events.config import DataConfig
from root_gnn.data.events.loader import BatchSampler, evaluation_loader, train_loader
from root_gnn.data.events.table import EventTable, open_table
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch


@pytest.fixture(scope="module")
def table(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROOT_GNN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield open_table(validate(DataConfig, {"classes": {"WH": "WH.root", "ZH": "ZH.root"}}), data_dir)


def event_ids(batch: Batch) -> list[tuple[int, ...]]:
    assert batch.ids is not None
    return [tuple(row) for row in batch.ids.tolist()]


@settings(max_examples=60)
@given(st.integers(4, 80), st.integers(1, 30), st.integers(1, 4), st.integers(0, 3), st.integers(1, 100))
def test_ranks_together_take_every_event_once(
    n_event: int, batch_size: int, world: int, epoch: int, window: int
) -> None:
    index = np.arange(n_event) * 3
    batch_size = max(batch_size, 2 * world)
    alone = BatchSampler(index, batch_size, seed=5, window=window)
    ranks = [BatchSampler(index, batch_size, seed=5, rank=rank, world=world, window=window) for rank in range(world)]
    for sampler in (alone, *ranks):
        sampler.set_epoch(epoch)
    shares = [list(sampler) for sampler in ranks]
    whole = list(alone)
    assert {len(share) for share in shares} == {len(whole)} == {len(alone)}
    for place, parts in enumerate(zip(*shares, strict=True)):
        sizes = [len(part) for part in parts]
        assert min(sizes) >= 1
        assert max(sizes) - min(sizes) <= 1
        assert sum(sizes) <= batch_size
        if place < len(whole) - 2:
            assert sorted(np.concatenate(parts)) == sorted(whole[place])
    assert sorted(row for share in shares for part in share for row in part) == index.tolist()
    assert sorted(np.concatenate(whole)) == index.tolist()


@settings(max_examples=30)
@given(st.integers(2, 4), st.integers(0, 1000))
def test_ranks_have_as_much_to_compute(world: int, seed: int) -> None:
    n_node = np.random.default_rng(seed).integers(1, 26, 400)
    ranks = [
        BatchSampler(np.arange(400), 100, seed=seed, rank=rank, world=world, n_node=n_node) for rank in range(world)
    ]
    for parts in zip(*ranks, strict=True):
        work = [int((n_node[part] ** 2).sum()) for part in parts]
        assert max(work) - min(work) <= 2 * 25**2, "as much as two of the largest graphs"


def test_order_depends_on_seed_and_epoch_only() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        sampler = BatchSampler(np.arange(100), 32, seed=seed)
        sampler.set_epoch(epoch)
        return [int(row) for batch in sampler for row in batch]

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1, 2)}) == 6


def test_fewer_events_than_ranks_are_refused() -> None:
    with pytest.raises(InputError, match="2 training events for 4 processes"):
        BatchSampler(np.arange(2), 8, seed=0, world=4)
    with pytest.raises(InputError, match=r"train.batch_size is 7 .* 4 processes; it has to be at least 8"):
        BatchSampler(np.arange(20), 7, seed=0, world=4)


def test_workers_and_ranks_together_give_every_event_once(table: EventTable) -> None:
    loaders: list[Any] = [
        train_loader(table, np.arange(501), 64, seed=3, rank=rank, world=2, window=130, n_worker=n_worker)
        for rank, n_worker in ((0, 2), (1, 1))
    ]
    seen = [[event_ids(batch) for batch in loader] for loader in loaders]
    assert len(seen[0]) == len(seen[1]) == 8
    assert sorted(chain(*chain(*seen))) == sorted(map(tuple, table.ids[:501].tolist()))
    alone = [event_ids(batch) for batch in train_loader(table, np.arange(501), 64, seed=3, window=130)]
    assert [sorted(one + other) for one, other in zip(*seen, strict=True)] == [sorted(batch) for batch in alone]
    assert [batch.n_graph_all for batch in loaders[0]] == [len(batch) for batch in alone]


def test_a_batch_of_an_epoch_gone_on_with_knows_how_many_graphs_there_are(table: EventTable) -> None:
    loaders: list[Any] = [train_loader(table, np.arange(100), 32, seed=3, rank=rank, world=2) for rank in range(2)]
    for loader in loaders:
        loader.load_state_dict({**loader.state_dict(), "n_done": 2})
    counts = [[(batch.n_graph, batch.n_graph_all) for batch in loader] for loader in loaders]
    assert counts == [[(16, 32), (2, 4)]] * 2


@pytest.mark.parametrize("n_worker", [0, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("window", [90, 2**20])
def test_resumed_in_the_middle_of_an_epoch(table: EventTable, n_worker: int, window: int) -> None:
    def loader() -> Any:
        return train_loader(table, np.arange(500), 64, seed=3, n_worker=n_worker, window=window)

    unbroken, expected = loader(), []
    for epoch in range(3):
        unbroken.sampler.set_epoch(epoch)
        expected.append([event_ids(batch) for batch in unbroken])
    assert expected[0] != expected[1]
    assert sorted(chain(*expected[0])) == sorted(chain(*expected[1]))
    first = loader()
    first.sampler.set_epoch(1)
    seen = []
    for batch in first:
        seen.append(event_ids(batch))
        if len(seen) == 3:
            state = first.state_dict()
            break
    second = loader()
    second.load_state_dict(state)
    second.sampler.set_epoch(1)
    assert seen + [event_ids(batch) for batch in second] == expected[1]
    second.sampler.set_epoch(2)
    assert [event_ids(batch) for batch in second] == expected[2]


def test_the_end_of_an_epoch_resumes_at_the_next(table: EventTable) -> None:
    loader = train_loader(table, np.arange(100), 64, seed=3)
    assert len(list(loader)) == len(loader) == 2
    state = loader.state_dict()
    other = train_loader(table, np.arange(100), 64, seed=3)
    other.load_state_dict(state)
    other.sampler.set_epoch(1)  # type: ignore[attr-defined]
    assert len(list(other)) == 2


def test_resuming_with_other_data_is_refused(table: EventTable) -> None:
    state = train_loader(table, np.arange(100), 64, seed=3).state_dict()
    for index, batch_size, seed, word in ((90, 64, 3, "n_event"), (100, 32, 3, "batch_size"), (100, 64, 4, "seed")):
        with pytest.raises(InputError, match=f"{word} was"):
            train_loader(table, np.arange(index), batch_size, seed=seed).load_state_dict(state)
    with pytest.raises(InputError, match="window was 100 and now is 30"):
        train_loader(table, np.arange(100), 64, seed=3, window=30).load_state_dict(state)
    train_loader(table, np.arange(100), 64, seed=3, window=200).load_state_dict(state)  # the same order
    del state["window"]  # as older checkpoints, whose order was one permutation
    train_loader(table, np.arange(100), 64, seed=3).load_state_dict(state)


def test_training_batches_are_sorted_and_weighted(table: EventTable) -> None:
    weights = np.arange(600, dtype=np.float32)
    row_of = {tuple(ids): row for row, ids in enumerate(table.ids[:].tolist())}
    for batch in train_loader(table, np.arange(0, 600, 2), 100, seed=0, weights=weights):
        batch.check()
        assert (torch.diff(batch.n_node) >= 0).all()
        assert batch.weights is not None
        assert batch.weights.tolist() == [row_of[ids] for ids in event_ids(batch)]


def test_events_without_nodes_do_not_train(table: EventTable, monkeypatch: pytest.MonkeyPatch) -> None:
    n_node = table.n_node.copy()
    n_node[:10] = 0
    monkeypatch.setattr(table, "n_node", n_node)
    assert sum(batch.n_graph for batch in train_loader(table, np.arange(50), 16, seed=0)) == 40


def test_evaluation_keeps_the_order(table: EventTable) -> None:
    index = np.array([5, 3, 599, 0, 300, 17, 2])
    batches = list(evaluation_loader(table, index, 3))
    assert [batch.n_graph for batch in batches] == [3, 3, 1]
    assert [ids for batch in batches for ids in event_ids(batch)] == [tuple(row) for row in table.ids[index].tolist()]
    assert list(evaluation_loader(table, index[:0], 3)) == []
