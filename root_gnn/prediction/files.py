"""Files of scores, a ROOT friend tree or parquet, with a note of what they were made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import uproot
from numpy.typing import NDArray

from root_gnn.atomic import atomic_file
from root_gnn.data.formats.score_file import NOTE
from root_gnn.errors import InputError

ScoreFormat = Literal["root", "parquet"]
TREE = "scores"
ROWS_AT_A_TIME = 200_000
COMPRESSION_LEVEL = 3


@dataclass(frozen=True)
class Aligned:
    """Columns of scores, aligned with the entries of a file.

    Attributes:
        columns: by name, `(n_place,)` values, one for each slot of `EntryAlignment`.
        ids: by name, `(n_place,)` int64, valid where `is_known (n_place,)` is true; written to parquet only.
        is_known: `(n_place,)`, whether a graph was prepared for the slot.
        per_entry: `(n_entry,)`, number of slots of each entry; None if each has one.
        trees: number of entries of each tree of the input, by name; empty for a single tree.
    """

    columns: Mapping[str, NDArray[Any]]
    ids: Mapping[str, NDArray[np.int64]]
    is_known: NDArray[np.bool_]
    per_entry: NDArray[np.int64] | None
    trees: Mapping[str, int]

    @property
    def n_entry(self) -> int:
        """Number of entries of the input."""
        return len(self.is_known) if self.per_entry is None else len(self.per_entry)


def write_scores(path: Path, aligned: Aligned, note: Mapping[str, Any], *, form: ScoreFormat) -> None:
    """Writes the file whole or not at all.

    ROOT: the tree `scores`, or `scores_<tree>` for each tree of the input; an entry with several slots has lists.
    Parquet: the same columns, and the id columns, which are null for entries that were left out.
    """
    text = json.dumps(note, sort_keys=True)
    with atomic_file(path) as temporary:
        if form == "root":
            _write_root(temporary, aligned, text)
        else:
            pq.write_table(_table(aligned).replace_schema_metadata({NOTE: text}), temporary, compression="zstd")


def note_of(path: Path, form: ScoreFormat) -> dict[str, Any]:
    """Returns the note in a file of scores; raises InputError if there is none."""
    try:
        if form == "root":
            with uproot.open(path) as file:
                text = str(file[NOTE])
        else:
            text = (pq.read_schema(path).metadata or {})[NOTE.encode()].decode()
        note: dict[str, Any] = json.loads(text)
    except Exception as error:  # uproot raises many kinds for damaged files
        raise InputError(
            f"{path} exists and was not written by `root-gnn predict` "
            f"({type(error).__name__} when its note was looked for); name another --out, or replace it with --overwrite"
        ) from error
    return note


def _write_root(path: Path, aligned: Aligned, note: str) -> None:
    lists = "" if aligned.per_entry is None else "var * "
    types = {name: f"{lists}{values.dtype.name}" for name, values in aligned.columns.items()}
    ends = _ends(aligned)
    begin = 0
    with uproot.recreate(path, compression=uproot.ZSTD(COMPRESSION_LEVEL)) as file:
        for name, n_entry in (aligned.trees or {"": aligned.n_entry}).items():
            tree = file.mktree(f"{TREE}_{name.replace('/', '_')}" if name else TREE, types)
            for start in range(begin, begin + n_entry, ROWS_AT_A_TIME):
                stop = min(start + ROWS_AT_A_TIME, begin + n_entry)
                tree.extend(
                    {column: _entries(values, aligned, ends, start, stop) for column, values in aligned.columns.items()}
                )
            begin += n_entry
        file[NOTE] = note


def _entries(values: NDArray[Any], aligned: Aligned, ends: NDArray[np.int64], start: int, stop: int) -> Any:
    """Returns the part of a column that belongs to the entries `start .. stop - 1`.

    Args:
        values: `(n_place,)`, the whole column.
        aligned: all columns, for the number of slots per entry.
        ends: `(n_entry + 1,)`, first slot of each entry, and the number of slots.
        start: first entry.
        stop: last entry + 1.
    """
    if aligned.per_entry is None:
        return values[start:stop]
    return ak.unflatten(values[ends[start] : ends[stop]], aligned.per_entry[start:stop])


def _ends(aligned: Aligned) -> NDArray[np.int64]:
    count = np.ones(aligned.n_entry, dtype=np.int64) if aligned.per_entry is None else aligned.per_entry
    ends: NDArray[np.int64] = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return ends


def _table(aligned: Aligned) -> pa.Table:
    plain = {name: pa.array(values, mask=~aligned.is_known) for name, values in aligned.ids.items()}
    plain |= {name: pa.array(values) for name, values in aligned.columns.items()}
    if aligned.per_entry is None:
        return pa.table(plain)
    offsets = pa.array(_ends(aligned))
    return pa.table({name: pa.LargeListArray.from_arrays(offsets, column) for name, column in plain.items()})
