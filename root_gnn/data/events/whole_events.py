"""Events with several rows, one for each jet: rows are grouped by their ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.events.table import EventTable
from root_gnn.errors import InputError
from root_gnn.typing import Index


@dataclass(frozen=True)
class WholeEvents:
    """Rows grouped into events: rows that share all ids but the last are one event.

    Attributes:
        event: `(n_row,)`, the event of each row of the table; events are numbered in the order of their first rows.
        rows: `(n_row,)`, the rows event by event.
        start: `(n_event,)`, where the rows of each event start in `rows`.
        count: `(n_event,)`, number of rows of each event.
    """

    event: Index
    rows: Index
    start: Index
    count: Index

    @classmethod
    def of(cls, table: EventTable) -> WholeEvents:
        """Groups the rows of a table; raises InputError if ids do not identify jets, or classes share event numbers."""
        names = table.spec.id_names
        if len(names) < 2:
            raise InputError(
                f"the head pools the jets of an event, and the ids of the spec {table.spec.name} ({', '.join(names)}) "
                "don't tell jets from events; give the spec `object` or `graph_per`"
            )
        groups = cls.grouped(np.asarray(table.ids[:])[:, :-1])
        label = table.label[groups.rows]
        other = np.flatnonzero(label != label[np.repeat(groups.start, groups.count)])
        if len(other):
            row = int(groups.rows[other[0]])
            numbers = ", ".join(
                f"{name} {value}" for name, value in zip(names, table.ids[row : row + 1][0], strict=True)
            )
            raise InputError(
                f"the head pools the jets of an event, and jets of two classes have the same event number ({numbers}); "
                f"name in `id` of the spec {table.spec.name} what tells their files apart"
            )
        return groups

    @classmethod
    def grouped(cls, ids: NDArray[np.int64]) -> WholeEvents:
        """Groups rows by `ids (n_row, n_id)`, which the rows of an event share."""
        _, first, event = np.unique(ids, axis=0, return_index=True, return_inverse=True)
        number = np.empty_like(first)
        number[np.argsort(first, kind="stable")] = np.arange(len(first))
        event = number[event.reshape(-1)].astype(np.int64)
        count = np.bincount(event, minlength=len(first))
        return cls(event, np.argsort(event, kind="stable"), np.cumsum(count) - count, count)

    def leading(self, index: Index) -> Index:
        """Returns the rows of `index (n,)` that are the first of their event."""
        is_first: NDArray[np.bool_] = self.rows[self.start[self.event[index]]] == index
        return index[is_first]

    def all_rows(self, index: Index) -> Index:
        """Returns all rows of the events whose first rows are `index (n,)`, event by event in that order."""
        event = self.event[index]
        count = self.count[event]
        within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        all_rows: Index = self.rows[np.repeat(self.start[event], count) + within]
        return all_rows
