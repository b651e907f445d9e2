"""Loaders for training and evaluation: shuffled by (seed, epoch), resumable within an epoch, balanced over ranks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from root_gnn.data.events.shuffle import WINDOW, Order
from root_gnn.data.events.table import EventTable
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.typing import Index


class EventDataset(Dataset[Batch]):
    """Batches of a table by row numbers; `dataset[rows (n,)]` is one batch."""

    def __init__(
        self,
        table: EventTable,
        *,
        weights: NDArray[np.float32] | None = None,
        sort: bool = False,
        partner: Index | None = None,
        whole: WholeEvents | None = None,
    ) -> None:
        """Describes the batches.

        Args:
            table: the events.
            weights: `(n_event,)` float32, written to `Batch.weights`; by default the weights of the files.
            sort: whether graphs are sorted by ascending number of nodes instead of keeping the requested order.
            partner: `(n_event,)`, a further row for each requested row; these follow after all requested rows.
            whole: groups of rows; each requested row is the first of its group and brings the others with it.
        """
        self.table, self.weights, self.sort, self.partner, self.whole = table, weights, sort, partner, whole

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, rows: Index) -> Batch:
        if self.sort:
            rows = rows[np.argsort(self.table.n_node[rows], kind="stable")]
        if self.partner is not None:
            rows = np.concatenate([rows, self.partner[rows]])
        if self.whole is not None:
            rows = self.whole.all_rows(rows)
        return self.table.gather(rows, weights=self.weights)


class BatchSampler(Sampler[Index]):
    """Row numbers of one rank's share of each batch; every row comes once in an epoch.

    The order depends on `(seed, epoch)` (and on `window`, if there are more rows than that), not on the number of ranks
    and workers. Graphs are assigned to ranks in snake order of `n_node`, so that ranks get similar loads. The last
    batch may be smaller.
    """

    def __init__(
        self,
        index: Index,
        batch_size: int,
        *,
        seed: int,
        rank: int = 0,
        world: int = 1,
        window: int = WINDOW,
        n_node: NDArray[np.integer[Any]] | None = None,
    ) -> None:
        """Chooses the rows; raises InputError if there are too few of them, or too few per batch, for the ranks.

        Args:
            index: rows `(n,)` of the table.
            batch_size: graphs per step, over all ranks.
            seed: seed of the order.
            rank: number of this process among the `world` processes that train together.
            world: number of processes.
            window: number of rows that are shuffled among each other.
            n_node: `(n_event,)`, number of nodes of every row of the table; None assigns graphs to ranks in turn.
        """
        if len(index) < world:
            raise InputError(f"There are {len(index)} training events for {world} processes; each needs one at least.")
        if world > 1 and batch_size < 2 * world:
            raise InputError(
                f"train.batch_size is {batch_size} graphs over {world} processes; it has to be at least {2 * world}."
            )
        self.index, self.batch_size, self.seed, self.rank, self.world = index, batch_size, seed, rank, world
        self.window, self.n_node = min(window, len(index)), n_node
        self.epoch = self.start = 0
        self.sampler = self  # Lightning calls `set_epoch` on `loader.sampler` and `loader.batch_sampler.sampler`

    def set_epoch(self, epoch: int) -> None:
        """Chooses the order of an epoch; a new epoch begins at its first batch."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def __len__(self) -> int:
        return -(-len(self.index) // self.batch_size)

    def __iter__(self) -> Iterator[Index]:
        order = Order(len(self.index), seed=self.seed, epoch=self.epoch, window=self.window)
        begin, self.start = self.start, 0
        ends = self._ends()
        for positions in order.cut(ends[begin - 1] if begin else 0, ends[begin:]):
            yield self._share(self.index[positions])

    def _share(self, rows: Index) -> Index:
        if self.world == 1:
            return rows
        if self.n_node is not None:
            rows = rows[np.argsort(self.n_node[rows], kind="stable")]
        turn = np.arange(len(rows)) % (2 * self.world)
        own: Index = rows[np.minimum(turn, 2 * self.world - 1 - turn) == self.rank]
        return own

    def sizes(self) -> list[int]:
        """Returns the number of rows of each batch of an epoch, over all ranks."""
        return np.diff(self._ends(), prepend=0).tolist()

    def _ends(self) -> list[int]:
        """Returns where each batch ends; the last two are balanced if the last would leave a rank without events."""
        ends = [min((i_batch + 1) * self.batch_size, len(self.index)) for i_batch in range(len(self))]
        if len(ends) > 1 and ends[-1] - ends[-2] < self.world:
            before = ends[-3] if len(ends) > 2 else 0
            ends[-2] = (before + ends[-1]) // 2
        return ends


class EventLoader(DataLoader[Batch]):
    """A loader whose position in the epoch can be saved and restored; Lightning calls the two methods for it.

    If each row is a graph, batches get the number of graphs over all ranks, which saves the ranks a sync.
    """

    n_done = 0

    def __iter__(self) -> Any:
        sampler = self._sampler()
        self.n_done, sizes = sampler.start, sampler.sizes()
        rows_are_graphs = (
            isinstance(self.dataset, EventDataset) and self.dataset.partner is None and self.dataset.whole is None
        )
        for batch in super().__iter__():
            self.n_done += 1
            yield batch.replace(n_graph_all=sizes[self.n_done - 1]) if rows_are_graphs else batch

    def state_dict(self) -> dict[str, int]:
        """Returns the epoch, the number of batches yielded in it, and the parameters of the order."""
        sampler = self._sampler()
        return {"epoch": sampler.epoch, "n_done": self.n_done, **_order(sampler)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continues after the saved batch; raises InputError if the data, batch size or seed changed."""
        sampler = self._sampler()
        changed = [name for name, value in _order(sampler).items() if state.get(name, value) != value]
        if changed:
            raise InputError(
                f"The run cannot be resumed in the middle of an epoch: {changed[0]} was {state[changed[0]]} and now is "
                f"{_order(sampler)[changed[0]]}. Resume with the same data and recipe, or start a new run."
            )
        sampler.epoch, sampler.start = state["epoch"], state["n_done"]
        self.n_done = state["n_done"]

    def _sampler(self) -> BatchSampler:
        sampler: Any = self.sampler
        if not isinstance(sampler, BatchSampler):
            raise TypeError("an EventLoader needs a BatchSampler; in Lightning set use_distributed_sampler=False")
        return sampler


def _order(sampler: BatchSampler) -> dict[str, int]:
    return {
        "n_event": len(sampler.index),
        "batch_size": sampler.batch_size,
        "seed": sampler.seed,
        "window": sampler.window,
    }


def train_loader(
    table: EventTable,
    index: Index,
    batch_size: int,
    *,
    seed: int,
    weights: NDArray[np.float32] | None = None,
    rank: int = 0,
    world: int = 1,
    window: int = WINDOW,
    n_worker: int = 0,
    pin_memory: bool = False,
    partner: Index | None = None,
    whole: WholeEvents | None = None,
) -> EventLoader:
    """Returns a loader of shuffled batches, whose graphs are sorted by number of nodes; it skips events without nodes.

    Args:
        table: the events.
        index: rows `(n,)` of the table; with `whole`, the first row of each event.
        batch_size: graphs per step, over all ranks; with `whole`, events with all their rows.
        seed: seed of the order.
        weights: `(n_event,)` as `training_weights` returns them; by default the weights of the files.
        rank: number of this process among the `world` processes that train together.
        world: number of processes.
        window: number of rows that are shuffled among each other.
        n_worker: processes that read ahead; 0 reads in this process.
        pin_memory: whether batches are put into page-locked memory, for copies to a GPU.
        partner: `(n_event,)` as `resimulations.partners` returns it. The second half of each batch then holds the
            partners of the first half, in the same order.
        whole: the events, if the rows of an event belong together.
    """
    has_nodes = table.n_node[index] > 0
    if not has_nodes.all():
        index = index[has_nodes]
    if partner is not None:
        index, batch_size = _firsts(table, index, partner), batch_size // 2
    sampler = BatchSampler(index, batch_size, seed=seed, rank=rank, world=world, window=window, n_node=table.n_node)
    return EventLoader(
        EventDataset(table, weights=weights, sort=True, partner=partner, whole=whole),
        batch_size=None,
        sampler=sampler,
        num_workers=n_worker,
        collate_fn=_as_it_is,
        pin_memory=pin_memory,
        persistent_workers=n_worker > 0,
        generator=_own_generator(),
    )


def evaluation_loader(
    table: EventTable,
    index: Index,
    batch_size: int,
    *,
    weights: NDArray[np.float32] | None = None,
    n_worker: int = 0,
    pin_memory: bool = False,
    partner: Index | None = None,
    whole: WholeEvents | None = None,
) -> DataLoader[Batch]:
    """Returns a loader of all rows `index (n,)` in that order.

    Args:
        table: the events.
        index: rows `(n,)` of the table; with `whole`, the first row of each event.
        batch_size: rows at a time.
        weights: `(n_event,)`; by default the weights of the files.
        n_worker: processes that read ahead; 0 reads in this process.
        pin_memory: whether batches are put into page-locked memory, for copies to a GPU.
        partner: as in `train_loader`.
        whole: as in `train_loader`.
    """
    if partner is not None:
        index, batch_size = _firsts(table, index, partner), batch_size // 2
    pieces: Any = [index[first : first + batch_size] for first in range(0, len(index), batch_size)]
    return DataLoader(
        EventDataset(table, weights=weights, partner=partner, whole=whole),
        batch_size=None,
        sampler=pieces,
        num_workers=n_worker,
        collate_fn=_as_it_is,
        pin_memory=pin_memory,
        generator=_own_generator(),
    )


def _firsts(table: EventTable, index: Index, partner: Index) -> Index:
    """Returns the rows of `index` that have a partner with nodes."""
    index = index[partner[index] >= 0]
    return index[table.n_node[partner[index]] > 0]


def _own_generator() -> torch.Generator:
    """A loader draws a seed at every pass; from the global generator this would change the dropout of a resumed run."""
    return torch.Generator()


def _as_it_is(batch: Any) -> Any:
    return batch
