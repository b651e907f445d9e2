"""Padded batches from the cache, for networks of other libraries that want them: features, a mask, the class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from root_gnn.data.events.loader import BatchSampler
from root_gnn.data.events.table import EventTable
from root_gnn.data.reading.graphs import ragged_rows
from root_gnn.typing import Index


@dataclass(frozen=True)
class Dense:
    """Graphs of `length` places each, as weaver's networks take them.

    Attributes:
        features: `(n_graph, node_dim, length)` float32, columns as in `Spec.node_features`, 0 where there is no node; a view
            of an array with the places of a graph one behind the other.
        mask: `(n_graph, 1, length)` bool, true where there is a node.
        label: `(n_graph,)` int64.
    """

    features: Tensor
    mask: Tensor
    label: Tensor

    @property
    def n_graph(self) -> int:
        """Number of graphs."""
        return self.label.shape[0]


def dense(table: EventTable, index: Index, length: int) -> Dense:
    """The graphs of the rows `index (n,)`, in that order, with at most the first `length` nodes of each."""
    at, dim = table.rows.sorted(index), len(table.spec.node_features)
    row = np.dtype((np.void, 4 * dim))  # a node is copied as a whole
    cells = np.zeros((len(index) * length, dim), dtype=np.float32)
    flat = cells.view(row).reshape(-1)
    count = np.minimum(table.n_node[index], length)
    mask = np.arange(length, dtype=np.int32) < count[:, None]
    n = count[at.order]
    end, place = np.cumsum(n), ragged_rows(at.order * length, n)
    for shard, start, stop in at.pieces:
        own = slice(int(end[start] - n[start]), int(end[stop - 1]))
        source = ragged_rows(table.shards[shard].offsets.take(at.row[start:stop]), n[start:stop])
        np.put(flat, place[own], table.shards[shard].nodes.view(row).reshape(-1).take(source))
    features = torch.from_numpy(cells).view(len(index), length, dim).transpose(1, 2)
    label = torch.from_numpy(table.label[index].astype(np.int64))
    return Dense(features, torch.from_numpy(mask).unsqueeze(1), label)


class _DenseDataset(Dataset[Dense]):
    def __init__(self, table: EventTable, length: int) -> None:
        self.table, self.length = table, length

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, rows: Index) -> Dense:
        return dense(self.table, rows, self.length)


def dense_loader(
    table: EventTable,
    index: Index,
    batch_size: int,
    *,
    length: int,
    seed: int,
    rank: int = 0,
    world: int = 1,
    n_worker: int = 0,
) -> DataLoader[Dense]:
    """Shuffled padded batches of the rows `index (n,)`, each once an epoch, in the order of `train_loader`.

    `loader.sampler.set_epoch(k)` chooses the order of an epoch.
    """
    sampler: Any = BatchSampler(index, batch_size, seed=seed, rank=rank, world=world)
    return DataLoader(
        _DenseDataset(table, length), batch_size=None, sampler=sampler, num_workers=n_worker, collate_fn=_as_it_is
    )


def _as_it_is(batch: Any) -> Any:
    return batch
