"""Batches for training and evaluation: shuffled by (seed, epoch), resumable in the middle of an epoch, cut evenly over ranks."""

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
    """Batches of a table by row numbers; `dataset[rows (n,)]` is one batch.

    Args:
        table: the events.
        weights: `(n_event,)` float32, what stands in `Batch.weights`; the weights of the files without it.
        sort: whether graphs stand by ascending number of nodes instead of in the order asked for.
        partner: `(n_event,)`, the row that comes along with each, all of them after the rows asked for.
        whole: the events whose other rows come along with the leading ones.
    """

    def __init__(
        self,
        table: EventTable,
        *,
        weights: NDArray[np.float32] | None = None,
        sort: bool = False,
        partner: Index | None = None,
        whole: WholeEvents | None = None,
    ) -> None:
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

    The order is a function of `(seed, epoch)` (and of `window`, where there are more rows than that): the same for any number
    of ranks and workers. `batch_size` counts the graphs of a step over all ranks, to which they are dealt out there and back, by
    `n_node (n_row,)` where it is given, so that no rank waits for one with larger graphs; the last batch may be smaller.
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
        """Chooses the order; a new epoch begins at its first batch."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def __len__(self) -> int:
        return -(-len(self.index) // self.batch_size)

    def __iter__(self) -> Iterator[Index]:
        order = Order(len(self.index), seed=self.seed, epoch=self.epoch, window=self.window)
        begin, self.start = self.start, 0
        ends = self._ends()
        for places in order.cut(ends[begin - 1] if begin else 0, ends[begin:]):
            yield self._share(self.index[places])

    def _share(self, rows: Index) -> Index:
        if self.world == 1:
            return rows
        if self.n_node is not None:
            rows = rows[np.argsort(self.n_node[rows], kind="stable")]
        turn = np.arange(len(rows)) % (2 * self.world)
        own: Index = rows[np.minimum(turn, 2 * self.world - 1 - turn) == self.rank]
        return own

    def sizes(self) -> list[int]:
        """Rows of each batch of an epoch, over all ranks."""
        return np.diff(self._ends(), prepend=0).tolist()

    def _ends(self) -> list[int]:
        """Where each batch ends in the order; the last two share evenly where the last would leave a rank without events."""
        ends = [min((place + 1) * self.batch_size, len(self.index)) for place in range(len(self))]
        if len(ends) > 1 and ends[-1] - ends[-2] < self.world:
            before = ends[-3] if len(ends) > 2 else 0
            ends[-2] = (before + ends[-1]) // 2
        return ends


class EventLoader(DataLoader[Batch]):
    """A loader whose place in the epoch can be saved and restored; Lightning does both through these two methods.

    Batches are told how many graphs there are over all ranks, where a row is a graph, so that ranks need not ask each other.
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
        """The epoch, how many of its batches were handed out, and what the order depends on."""
        sampler = self._sampler()
        return {"epoch": sampler.epoch, "n_done": self.n_done, **_order(sampler)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continues with the batch after the saved one; raises InputError where data, batch size or seed are others."""
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
    """Shuffled batches of the rows `index (n,)`, sorted by multiplicity inside; events without nodes are left out.

    `batch_size` counts graphs over all ranks; `weights (n_event,)` as `training_weights` gives them; `window` rows are
    shuffled among each other. With `partner (n_event,)`, as `data.pairs.partners` gives it, batches hold pairs: the first half, and
    then the partners in the same order. With `whole` batches hold `batch_size` events with all their rows, and `index` the leading ones.
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
    """Batches of the rows `index (n,)` in that order, `batch_size` at a time, all of them; `partner` and `whole` as in `train_loader`."""
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
    """The rows of `index` that have a partner with nodes."""
    index = index[partner[index] >= 0]
    return index[table.n_node[partner[index]] > 0]


def _own_generator() -> torch.Generator:
    """For the seed a loader draws at every pass: from the global generator it would shift the dropout of a resumed run."""
    return torch.Generator()


def _as_it_is(batch: Any) -> Any:
    return batch
