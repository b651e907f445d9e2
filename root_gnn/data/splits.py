"""Which events train, validate and test: a function of the event id alone, so that nothing leaks and nothing moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from root_gnn.data.config import Split
from root_gnn.data.table import EventTable
from root_gnn.errors import InputError
from root_gnn.graph.hashing import uniform

SPLIT_SALT = (0x53504C4954,)
SUBSET_SALT = 0x535542534554

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Splits:
    """Rows of the events of each split, ascending, `(n_train,)`, `(n_validation,)`, `(n_test,)`."""

    train: Index
    validation: Index
    test: Index

    def __getitem__(self, name: str) -> Index:
        rows: Index = {"train": self.train, "validation": self.validation, "test": self.test}[name]
        return rows


def split_of(ids: Index, split: Split) -> Splits:
    """The splits of events with `ids (n_event, n_id)`.

    An event's split depends on its id and the fractions only: not on other events, files, classes, their order or any seed.
    """
    place = uniform(torch.from_numpy(np.ascontiguousarray(ids)), SPLIT_SALT).numpy()
    train = place < split.train
    test = place >= split.train + split.validation if split.test else np.zeros_like(train)
    return Splits(np.flatnonzero(train), np.flatnonzero(~train & ~test), np.flatnonzero(test))


def split_table(table: EventTable, split: Split) -> Splits:
    """The splits of a table's events; simulations of one hard event stay together."""
    return split_of(table.split_ids, split)


def subset(table: EventTable, train_index: Index, n_total: int, seed: int) -> Index:
    """`n_total` of the training rows, as many of each class (the first get one more where it does not divide), ascending.

    A smaller number gives a part of a larger one's rows for the same seed. Raises InputError naming the class and what
    there is where it has too few.
    """
    label = table.label[train_index]
    classes = table.classes or ("event",)
    chosen = []
    for place, name in enumerate(classes):
        wanted = n_total // len(classes) + (place < n_total % len(classes))
        rows = train_index[label == place] if table.classes else train_index
        if wanted > len(rows):
            raise InputError(
                f"{n_total:,} training events over {len(classes)} classes need {wanted:,} of {name}, but its training split has "
                f"{len(rows):,}; ask for at most {_largest(table, train_index):,} in total or simulate more."
            )
        order = np.argsort(uniform(torch.from_numpy(table.ids[rows]), (SUBSET_SALT, seed)).numpy(), kind="stable")
        chosen.append(rows[order[:wanted]])
    return np.sort(np.concatenate(chosen))


def _largest(table: EventTable, train_index: Index) -> int:
    if not table.classes:
        return len(train_index)
    return int(np.bincount(table.label[train_index], minlength=len(table.classes)).min()) * len(table.classes)
