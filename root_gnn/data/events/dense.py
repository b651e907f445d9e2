"""Padded batches from the cache, for networks of other libraries: features, a mask, the class."""

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
    """Graphs padded to `length` nodes each, in the layout of weaver's networks.

    Attributes:
        features: `(n_graph, node_dim, length)` float32, columns as in `Spec.node_features`, 0 for padding; a transposed
            view of an array `(n_graph, length, node_dim)`.
        mask: `(n_graph, 1, length)` bool, true for nodes, false for padding.
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
    """Returns the graphs of the rows `index (n,)`, in that order, with at most the first `length` nodes of each."""
    located, dim = table.rows.sorted(index), len(table.spec.node_features)
    row = np.dtype((np.void, 4 * dim))  # one item per node, so that NumPy copies nodes as wholes
    cells = np.zeros((len(index) * length, dim), dtype=np.float32)
    flat = cells.view(row).reshape(-1)
    count = np.minimum(table.n_node[index], length)
    mask = np.arange(length, dtype=np.int32) < count[:, None]
    n = count[located.order]
    end, target = np.cumsum(n), ragged_rows(located.order * length, n)
    for shard, start, stop in located.pieces:
        part = slice(int(end[start] - n[start]), int(end[stop - 1]))
        source = ragged_rows(table.shards[shard].offsets.take(located.row[start:stop]), n[start:stop])
        np.put(flat, target[part], table.shards[shard].nodes.view(row).reshape(-1).take(source))
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
    """Returns a loader of shuffled padded batches, in the order of `train_loader`.

    `loader.sampler.set_epoch(k)` chooses the order of an epoch.

    Args:
        table: the events.
        index: rows `(n,)` of the table that are loaded, each once an epoch.
        batch_size: graphs per step, over all ranks.
        length: number of nodes that graphs are cut or padded to.
        seed: seed of the order.
        rank: number of this process among the `world` processes that train together.
        world: number of processes.
        n_worker: processes that read ahead; 0 reads in this process.
    """
    sampler: Any = BatchSampler(index, batch_size, seed=seed, rank=rank, world=world)
    return DataLoader(
        _DenseDataset(table, length), batch_size=None, sampler=sampler, num_workers=n_worker, collate_fn=_as_it_is
    )


def _as_it_is(batch: Any) -> Any:
    return batch
