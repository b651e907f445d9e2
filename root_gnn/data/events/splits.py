"""Splits events into training, validation and test: by a hash of their ids, by a branch, or by file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from root_gnn.console import log
from root_gnn.data.events.config import Split, matches
from root_gnn.data.events.rows import EventColumn, hash_of, uniform_of
from root_gnn.data.events.table import EventTable
from root_gnn.data.hygiene.duplicates import distinct
from root_gnn.data.spec.spec import SPLITS
from root_gnn.errors import InputError, suggest
from root_gnn.typing import Index

SPLIT_SALT = (0x53504C4954,)
FOLD_SALT = (0x464F4C44,)
VALIDATION_SALT = (0x464F4C44, 0x56414C)
SUBSET_SALT = 0x535542534554
TRAIN, VALIDATION, TEST, UNKNOWN = 0, 1, 2, -1

Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Splits:
    """Rows of the events of each split, ascending: `(n_train,)`, `(n_validation,)`, `(n_test,)`."""

    train: Index
    validation: Index
    test: Index

    def __getitem__(self, name: str) -> Index:
        rows: Index = {"train": self.train, "validation": self.validation, "test": self.test}[name]
        return rows


def split_of(ids: Index | EventColumn, split: Split) -> Splits:
    """Splits events with `ids (n_event, n_id)` by a hash: into fractions, or into one fold and the rest.

    The split of an event depends on its id and on `split` only, not on other events, files, classes or any seed.
    """
    if split.n_fold is not None:
        fold = _fold(ids, split.n_fold)
        code = np.where(uniform_of(ids, VALIDATION_SALT) < split.validation, VALIDATION, TRAIN).astype(np.int8)
        code[fold == split.fold] = TEST
        return _rows(code)
    position = uniform_of(ids, SPLIT_SALT)
    code = np.full(len(position), VALIDATION, dtype=np.int8)
    if split.test:
        code[position >= split.train + split.validation] = TEST
    code[position < split.train] = TRAIN
    return _rows(code)


def folds(table: EventTable, split: Split) -> Index:
    """Returns the fold of each event, `(n_event,)`, counted from 0: the split with this `fold` tests on the event.

    Raises InputError if the split has no folds or the spec lacks an id column that it needs.
    """
    if split.n_fold is None:
        raise InputError("data.split has no n_fold, so events have no fold")
    return _fold(_hashed(table, split.ids), split.n_fold)


def split_table(table: EventTable, split: Split) -> Splits:
    """Splits the events of a table; simulations of one hard event stay together.

    Raises InputError if the ids, the branch or the files that decide are missing, and if a branch or files put one
    event into two splits (a warning if the spec has `on_duplicate: keep`).
    """
    if split.by == "hash":
        return split_of(_hashed(table, split.ids), split)
    code = _by_branch(table) if split.by == "branch" else _by_file(table, split)
    _check_overlap(table, code, split.by)
    return _rows(code)


def subset(table: EventTable, train_index: Index, n_total: int, seed: int) -> Index:
    """Draws `n_total` of the training rows, equally many of each class; returns them in ascending order.

    If `n_total` is no multiple of the number of classes, the first ones get one more. With the same seed a smaller set
    is part of a larger one. Raises InputError naming the class that has too few events.
    """
    label = table.label[train_index]
    classes = table.classes or ("event",)
    chosen = []
    for i_class, name in enumerate(classes):
        wanted = n_total // len(classes) + (i_class < n_total % len(classes))
        rows = train_index[label == i_class] if table.classes else train_index
        if wanted > len(rows):
            raise InputError(
                f"{n_total:,} training events over {len(classes)} classes need {wanted:,} of {name}, "
                f"but its training split has {len(rows):,}; "
                f"ask for at most {largest_subset(table, train_index):,} in total or simulate more."
            )
        order = np.argsort(uniform_of(table.ids, (SUBSET_SALT, seed), rows), kind="stable")
        chosen.append(rows[order[:wanted]])
    return np.sort(np.concatenate(chosen))


def largest_subset(table: EventTable, train_index: Index) -> int:
    """Returns the largest `n_total` for `subset`."""
    if not table.classes:
        return len(train_index)
    return int(np.bincount(table.label[train_index], minlength=len(table.classes)).min()) * len(table.classes)


def _fold(ids: Index | EventColumn, n_fold: int) -> Index:
    fold: Index = np.minimum(uniform_of(ids, FOLD_SALT) * n_fold, n_fold - 1).astype(np.int64)
    return fold


def _rows(code: Codes) -> Splits:
    return Splits(*(np.flatnonzero(code == value) for value in (TRAIN, VALIDATION, TEST)))


def _hashed(table: EventTable, names: Sequence[str]) -> EventColumn:
    """Returns the id columns that are hashed; all that decide the split if no names are listed."""
    known = table.spec.id_names
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(
            f"data.split.ids: the spec {table.spec.name} has no id column {unknown[0]}{suggest(unknown[0], known)}"
        )
    return table.id_columns(names) if names else table.split_ids


def _by_branch(table: EventTable) -> Codes:
    if table.spec.split is None:
        raise InputError(
            f"data.split.by is branch, and the spec {table.spec.name} names no branch for it; "
            "add `split: {branch: ...}`."
        )
    code: Codes = np.asarray(EventColumn(table.shards, "split", table.rows))
    unknown = np.flatnonzero((code < TRAIN) | (code > TEST))
    if len(unknown):
        first = table.rows.sorted(unknown[:1])
        shard, entry = first.pieces[0][0], table.shards[first.pieces[0][0]].entry[first.row[0]]
        raise InputError(
            f"{table.files[shard]}: branch {table.spec.split.branch} puts entry {entry} into no split, "
            f"and {len(unknown):,} of {len(code):,} events in all. Say which values mean train, validation and test "
            "in the spec (split), or drop such entries with select."
        )
    return code


def _by_file(table: EventTable, split: Split) -> Codes:
    of_shard = np.full(len(table.shards), TRAIN, dtype=np.int8)
    used: set[str] = set()
    for i_file, path in enumerate(table.files):
        matching = [
            (pattern, value)
            for patterns, value in ((split.validation_files, VALIDATION), (split.test_files, TEST))
            for pattern in patterns
            if matches(path, pattern)
        ]
        used.update(pattern for pattern, _ in matching)
        if len({value for _, value in matching}) > 1:
            raise InputError(
                f"{path}: data.split puts this file into validation ({matching[0][0]}) and test ({matching[-1][0]}); "
                "a file belongs to one split."
            )
        if matching:
            of_shard[i_file] = matching[0][1]
    unused = [pattern for pattern in (*split.validation_files, *split.test_files) if pattern not in used]
    if unused:
        names = sorted({Path(path).name for path in table.files})
        raise InputError(f"data.split: no file of the data is called {unused[0]}{suggest(unused[0], names[:40])}")
    return of_shard[table.shard_of]


def _check_overlap(table: EventTable, code: Codes, by: str) -> None:
    """Raises InputError, or warns, if events of one id and class are in two splits."""
    # The label is part of the hash because classes may number their events alike.
    hashes = hash_of(table.split_ids) ^ hash_of(table.label.astype(np.int64)[:, None])
    every = np.sort(np.concatenate([distinct(np.sort(hashes[code == value])) for value in (TRAIN, VALIDATION, TEST)]))
    common = distinct(every[1:][every[1:] == every[:-1]])
    if not len(common):
        return
    rows = np.flatnonzero(np.isin(hashes, common))
    labelled = np.column_stack([table.label[rows], table.split_ids[rows]])
    ids, event = np.unique(labelled, axis=0, return_inverse=True)  # the ids decide: hashes may collide
    present = np.zeros((len(ids), 3), dtype=bool)
    present[event.reshape(-1), code[rows]] = True
    double = np.flatnonzero(present.sum(axis=1) > 1)
    if not len(double):
        return
    example = ", ".join(
        f"{name} {value}" for name, value in zip(table.spec.id_names, ids[double[0], 1:].tolist(), strict=False)
    )
    where = " and ".join(name for name, here in zip(SPLITS, present[double[0]], strict=True) if here)
    text = (
        f"data.split.by is {by}, and that puts {len(double):,} events into more than one split, "
        f"the event with {example} into {where}"
    )
    if table.spec.on_duplicate == "keep":
        log.warning("%s; kept, as the spec says (on_duplicate)", text)
        return
    raise InputError(
        f"{text}: what is learned from them would be tested on them. Split by hash, or remove them, or accept it with "
        "`on_duplicate: keep` in the spec."
    )
