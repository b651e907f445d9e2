"""Checks that a run was not trained on the events that it is to be tested on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from root_gnn.data.events.config import Split
from root_gnn.data.events.rows import hash_of
from root_gnn.data.events.splits import split_table, subset
from root_gnn.data.events.table import EventTable
from root_gnn.errors import InputError
from root_gnn.runs.run import Run
from root_gnn.typing import Index


def check_held_out(
    run: Run, table: EventTable, test: Index, *, split: Split, data_dir: Path | str | None = None
) -> None:
    """Checks that a run was trained on none of the events `test (n,)` of a table.

    An event is identified by its file and the ids that decide splits. Where run and table are divided by the same hash
    of the same ids, no event can be in both, and files are not read; else the run's own files have to be there.

    Args:
        run: the run that is to be tested.
        table: the events of the test.
        test: rows of the test events, `(n,)`.
        split: how the table is divided.
        data_dir: where the data paths of the run start.

    Raises:
        InputError: where the run was trained on some of the events, or its ids are others.
    """
    its_names, names = (spec.id_names[: spec.n_split_id] for spec in (run.spec, table.spec))
    if its_names != names:
        raise InputError(
            f"{run.folder} knows its events by {', '.join(its_names)}, and the spec {table.spec.name} by "
            f"{', '.join(names)}, "
            "so whether it was trained on the test events can't be told; read both with the same ids."
        )
    its = run.recipe.data
    if its.split == split and split.by == "hash":
        return
    own = run.table(data_dir)
    trained = split_table(own, its.split).train
    if its.train_events is not None:
        trained = subset(own, trained, its.train_events, run.recipe.seed)
    number = {
        path: place for place, path in enumerate(dict.fromkeys(file.resolve() for file in (*table.files, *own.files)))
    }
    seen = np.flatnonzero(np.isin(_events(table, test, number), _events(own, trained, number)))
    if len(seen):
        row = test[seen[0]]
        values = ", ".join(
            f"{name} {value}" for name, value in zip(names, table.split_ids[row : row + 1][0].tolist(), strict=True)
        )
        raise InputError(
            f"{run.folder} was trained on {len(seen):,} of the {len(test):,} test events, first {values} of "
            f"{table.files[table.rows.shard_of(test[seen[:1]])[0]]}: its data.split is another. Give the task the "
            "split of the run, or train the run with that of the task."
        )


def _events(table: EventTable, rows: Index, number: Mapping[Path, int]) -> Index:
    """Returns 64 bits for each event, made of the number of its file and its ids."""
    of_file = np.array([number[path.resolve()] for path in table.files], dtype=np.int64)
    return hash_of(np.column_stack([of_file[table.rows.shard_of(rows)], table.split_ids[rows]]))
