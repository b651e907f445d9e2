"""Events that stand in several rows, a row for each jet: found by their ids, and handed out whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.events.table import EventTable
from root_gnn.errors import InputError
from root_gnn.typing import Index


@dataclass(frozen=True)
class WholeEvents:
    """Rows that share all ids but the last are one event: `rows`, event by event, those of event k from `start[k]` on, `count[k]` of them.

    `event (n_row,)` is the event of each row of the table; events are in the order of their first rows.
    """

    event: Index
    rows: Index
    start: Index
    count: Index

    @classmethod
    def of(cls, table: EventTable) -> WholeEvents:
        """Raises InputError where the ids don't tell the jets of an event apart, or events of two classes are numbered alike."""
        names = table.spec.id_names
        if len(names) < 2:
            raise InputError(
                f"the head pools the jets of an event, and the ids of the spec {table.spec.name} ({', '.join(names)}) don't "
                "tell jets from events; give the spec `object` or `graph_per`"
            )
        found = cls.grouped(np.asarray(table.ids[:])[:, :-1])
        label = table.label[found.rows]
        other = np.flatnonzero(label != label[np.repeat(found.start, found.count)])
        if len(other):
            row = int(found.rows[other[0]])
            numbers = ", ".join(
                f"{name} {value}" for name, value in zip(names, table.ids[row : row + 1][0], strict=True)
            )
            raise InputError(
                f"the head pools the jets of an event, and jets of two classes have the same event number ({numbers}); name "
                f"in `id` of the spec {table.spec.name} what tells their files apart"
            )
        return found

    @classmethod
    def grouped(cls, ids: NDArray[np.int64]) -> WholeEvents:
        """From `ids (n_row, n_id)` that the rows of an event share."""
        _, first, event = np.unique(ids, axis=0, return_index=True, return_inverse=True)
        place = np.empty_like(first)
        place[np.argsort(first, kind="stable")] = np.arange(len(first))
        event = place[event.reshape(-1)].astype(np.int64)
        count = np.bincount(event, minlength=len(first))
        return cls(event, np.argsort(event, kind="stable"), np.cumsum(count) - count, count)

    def leading(self, index: Index) -> Index:
        """The rows of `index (n,)` that are the first of their event: one for each event."""
        is_first: NDArray[np.bool_] = self.rows[self.start[self.event[index]]] == index
        return index[is_first]

    def all_rows(self, index: Index) -> Index:
        """All rows of the events that the rows `index (n,)` lead, event by event in that order."""
        event = self.event[index]
        count = self.count[event]
        within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        found: Index = self.rows[np.repeat(self.start[event], count) + within]
        return found
