"""Files of scores: a ROOT friend tree, or parquet, with a note of what made them that tells whether the work is done."""

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
from root_gnn.errors import InputError

ScoreFormat = Literal["root", "parquet"]
TREE = "scores"
NOTE = "root_gnn"
"""Key of the note, in either format."""
ROWS_AT_A_TIME = 200_000
COMPRESSION_LEVEL = 3


@dataclass(frozen=True)
class Aligned:
    """Columns of a file's places, entry by entry.

    Attributes:
        columns: `(n_place,)` by name.
        ids: `(n_place,)` int64 by name, meaningful where `is_known (n_place,)`; written to parquet only.
        per_entry: `(n_entry,)`, places of each entry; None where each has one.
        trees: entries of each tree of the input, by name; empty where it is one.
    """

    columns: Mapping[str, NDArray[Any]]
    ids: Mapping[str, NDArray[np.int64]]
    is_known: NDArray[np.bool_]
    per_entry: NDArray[np.int64] | None
    trees: Mapping[str, int]

    @property
    def n_entry(self) -> int:
        """Entries of the input."""
        return len(self.is_known) if self.per_entry is None else len(self.per_entry)


def write_scores(path: Path, aligned: Aligned, note: Mapping[str, Any], *, form: ScoreFormat) -> None:
    """Writes the file whole or not at all.

    ROOT: the tree `scores`, or `scores_<tree>` for each tree of the input, with lists where an entry has several places. Parquet: the
    same columns as rows, with the id columns, null where an entry was left out.
    """
    text = json.dumps(note, sort_keys=True)
    with atomic_file(path) as temporary:
        if form == "root":
            _write_root(temporary, aligned, text)
        else:
            pq.write_table(_table(aligned).replace_schema_metadata({NOTE: text}), temporary, compression="zstd")


def note_of(path: Path, form: ScoreFormat) -> dict[str, Any]:
    """The note in a file of scores; raises InputError where it has none."""
    try:
        if form == "root":
            with uproot.open(path) as file:
                text = str(file[NOTE])
        else:
            text = (pq.read_schema(path).metadata or {})[NOTE.encode()].decode()
        note: dict[str, Any] = json.loads(text)
    except Exception as error:  # uproot raises many kinds for damaged files
        raise InputError(
            f"{path} exists and was not written by `root-gnn predict` ({type(error).__name__} when its note was looked for); "
            "name another --out, or replace it with --overwrite"
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
    """A column of the entries `start .. stop - 1`."""
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
