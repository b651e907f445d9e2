"""The entries of a file as awkward records with the names of the spec, in GeV and radians."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import torch
from numpy.typing import NDArray

from root_gnn.data.formats.checksum import fingerprint
from root_gnn.data.formats.location import locate
from root_gnn.data.reading.columns import BranchLocation, fill_columns
from root_gnn.data.reading.entries import Entries
from root_gnn.data.reading.findings import Findings
from root_gnn.data.reading.objects import objects
from root_gnn.data.reading.piece import Piece
from root_gnn.data.reading.selection import TREE, select_branches
from root_gnn.data.spec.label import NO_LABEL
from root_gnn.data.spec.spec import SPLITS, Spec
from root_gnn.data.spec.value import Value
from root_gnn.errors import InputError
from root_gnn.graph.hashing import hash_ids
from root_gnn.protocols import Source
from root_gnn.typing import Integers


def read(path: Path | str, spec: Spec, *, start: int = 0, stop: int | None = None) -> ak.Array:
    """Records of the entries `start .. stop - 1`, to the end of the file by default; a larger `stop` is clipped.

    There is one record per graph: an entry, or each value of `graph_per`, without those that the spec drops. One field
    per collection, a list of records (one record where the collection is `single`) with the spec's node features but
    `type`: `pt energy` in GeV, `eta phi` with phi in [-pi, pi], float32. Further fields are `ids` (n, n_id) int64,
    `entry` int64 (in the file), `weight` float64; `label` int64, `split` int8 (0 train, 1 validation, 2 test), `truth`
    and `globals` (float32) where both the spec and the file have them. Raises InputError naming file, branch and entry
    where the file does not match the spec.
    """
    path = locate(path)
    if start < 0 or (stop is not None and stop < start):
        raise InputError(f"entries {start} to {stop} of {path} were requested; 0 <= start <= stop was expected.")
    with open_records(path, spec) as records:
        stop = records.n_entry if stop is None else min(stop, records.n_entry)
        return records.read(min(start, stop), stop)


def iterate(path: Path | str, spec: Spec) -> Iterator[ak.Array]:
    """The records of a whole file, in order, in pieces that fit in memory."""
    with open_records(locate(path), spec) as records:
        for start, stop in records.chunks():
            yield records.read(start, stop)


@contextmanager
def open_records(path: Path, spec: Spec) -> Iterator[RecordFile]:
    """An open file whose records are read range by range; raises InputError where it lacks a branch of the spec."""
    with spec.source.open(path) as source:
        yield RecordFile(path, spec.variation() if spec.systematics else spec, source)


class RecordFile:
    """An open file that is read with a spec; `findings` counts anomalies of the entries read so far."""

    def __init__(self, path: Path, spec: Spec, source: Source) -> None:
        self.path, self.spec, self._source = path, spec, source
        self.n_entry = source.n_entry
        self.selection = select_branches(spec, source.branches, path)
        self.findings = Findings()

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Ranges of entries, from the first to the last, that fit in memory."""
        return self._source.chunks(self.selection.branches)

    def metadata(self) -> dict[str, Any]:
        """The file's own information about the sample as a whole (cross section, events tried), as JSON values."""
        return self._source.metadata()

    def read(self, start: int, stop: int) -> ak.Array:
        """Records of the entries `start .. stop - 1`, as described by the function `read`."""
        return self.piece(start, stop).records()

    def piece(self, start: int, stop: int) -> Piece:
        """The graphs of the entries `start .. stop - 1`; dropped ones are counted in `findings` by reason."""
        arrays = self._source.read(self.selection.branches, start, stop)
        entries = Entries(self.path, self.spec, arrays, start, stop - start, self.findings)
        nodes = {
            name: objects(entries, name, collection, self.selection.nodes[name])
            for name, collection in self.spec.nodes.items()
        }
        piece = Piece(spec=self.spec, n_graph=len(entries.rows), nodes=nodes, columns={})
        names = self._names(piece)
        piece = self._with_columns(entries, piece, names)
        keep = self._keep(entries, names, piece.columns.get("label"))
        self.findings.n_entry += stop - start
        piece = piece if keep is None else piece.select(keep)
        self.findings.n_graph += piece.n_graph
        return piece

    def _names(self, piece: Piece) -> dict[str, Any]:
        """The variables `<collection>_<feature>`, one item per graph, that expressions of the spec read."""
        selection = self.selection
        values = (
            *selection.weight,
            *(selection.label or ()),
            *selection.truth.values(),
            *selection.globals.values(),
            *filter(None, [selection.select]),
        )
        wanted = {name for value in values if value.branch is None for name in value.reads}
        return {name: piece.by_graph(*known) for name, known in selection.records.items() if name in wanted}

    def _with_columns(self, entries: Entries, piece: Piece, names: dict[str, Any]) -> Piece:
        """The piece with its ids, weights, labels, split, truth and globals."""
        spec, selection = self.spec, self.selection
        weight, total = entries.weights(selection.weight, names)
        self.findings.sum_of_weights += total
        columns: dict[str, Any] = {
            "ids": self._ids(entries),
            "entry": entries.start + entries.rows.entry,
            "weight": weight,
        }
        if spec.label is not None and (selection.label is not None):
            columns["label"] = _label(entries, spec, selection.label, names)
        if spec.split is not None:
            columns["split"] = _split(entries, spec)
        truth = {name: entries.per_row(value, names, np.float32) for name, value in selection.truth.items()}
        absent = np.full(piece.n_graph if spec.globals else 0, spec.fill, dtype=np.float32)
        present = selection.globals
        globals_ = {
            name: entries.per_row(present[name], names, np.float32) if name in present else absent
            for name in spec.globals
        }
        return replace(piece, columns=columns, truth=truth, globals=globals_)

    def _ids(self, entries: Entries) -> NDArray[np.int64]:
        """The id columns, `(n_row, n_id)`: file and entry where the spec has none or the file lacks them."""
        selection, spec, rows = self.selection, self.spec, entries.rows
        if selection.ids:
            columns = [entries.whole_per_row(value) for value in selection.ids]
        else:
            columns = [
                column[rows.entry]
                for column in _file_and_entry(self.path, entries.start, entries.n_entry, spec.n_split_id)
            ]
        for wanted, value in ((spec.resimulation, selection.resimulation), (spec.object, selection.object)):
            if wanted is not None:
                columns.append(np.zeros(len(rows), dtype=np.int64) if value is None else entries.whole_per_row(value))
        if spec.graph_per is not None:
            columns.append(rows.object)
        return fill_columns(columns, np.empty((len(rows), len(columns)), dtype=np.int64))

    def _keep(self, entries: Entries, names: dict[str, Any], label: Integers | None) -> NDArray[np.bool_] | None:
        """The graphs to keep, bool `(n_row,)`; None for all of them. Dropped ones are counted by reason."""
        reasons: dict[str, NDArray[np.bool_]] = {}
        if entries.bad.any():
            reasons["NaN or infinity"] = entries.bad[entries.rows.entry]
        if self.spec.label and self.spec.label.other == "drop" and label is not None:
            reasons["no class"] = label == NO_LABEL
        if self.selection.select is not None:
            reasons["select"] = ~entries.holds_per_row(self.selection.select, names)
        dropped = np.zeros(len(entries.rows), dtype=bool)
        for reason, chosen in reasons.items():
            self.findings.dropped[reason] += int(np.count_nonzero(chosen & ~dropped))
            dropped |= chosen
        return ~dropped if dropped.any() else None


def _label(entries: Entries, spec: Spec, values: tuple[Value, ...], names: dict[str, Any]) -> Integers:
    """The class index of each graph, `(n_row,)`; raises InputError at a graph of no class, or of two."""
    label = spec.label
    if label is None:
        raise ValueError("the spec has no label")
    if label.trees:
        class_of = {tree: index for index, trees in enumerate(label.trees.values()) for tree in trees}
        classes = np.array([class_of.get(tree, NO_LABEL) for tree in spec.source.trees], dtype=np.int64)
        label_of = classes[entries.whole_per_row(Value(branch=TREE))]
        text, values_read = TREE, label_of
    elif label.branch:
        values_read = entries.whole_per_row(values[0])
        matches = values_read[:, None] == np.array(list(label.classes.values()), dtype=np.int64)[None, :]
        label_of = np.where(matches.any(axis=1), matches.argmax(axis=1), NO_LABEL)
        text = label.branch
    else:
        condition = entries.holds_per_row if label.expressions else entries.per_row
        holds = np.stack([condition(value, names) != 0 for value in values], axis=1)
        values_read, text = holds.sum(axis=1), ", ".join(value.text for value in values)
        _refuse_conditions(
            _location(entries, text),
            values_read > 1,
            "more than one condition of the label holds",
            "Make them exclude each other.",
        )
        label_of = np.where(values_read == 1, holds.argmax(axis=1), NO_LABEL)
    if label.other == "stop":
        location, unlabelled = _location(entries, text), label_of == NO_LABEL
        if not (label.branch or label.trees):
            _refuse_conditions(
                location,
                unlabelled,
                "no condition of the label holds",
                "Add a class, or say `other: drop` in label of the spec.",
            )
        advice = f"Known are {', '.join(label.names)}; add it to label of the spec, or say `other: drop` there."
        location.refuse(unlabelled, "a value that is no class", values_read, advice)
    return label_of.astype(np.int64)


def _refuse_conditions(location: BranchLocation, bad: NDArray[np.bool_], what: str, advice: str) -> None:
    """Raises InputError naming the first bad graph if `bad (n_row,)` is true anywhere.

    `location` names the conditions.
    """
    n_bad = int(np.count_nonzero(bad))
    if n_bad:
        entry = location.start + int(location.entries(bad)[0])
        raise InputError(
            f"{location.path}: {what} ({location.branch}) in entry {entry}, {n_bad:,} of the {bad.size:,} read with "
            f"it. {advice}"
        )


def _split(entries: Entries, spec: Spec) -> NDArray[np.int8]:
    """The split of each graph by the file, `(n_row,)`: 0 train, 1 validation, 2 test.

    Raises InputError at another value.
    """
    split = spec.split
    if split is None:
        raise ValueError("the spec has no split")
    values_read = entries.whole_per_row(Value(branch=split.branch))
    numbers = np.full(len(values_read), -1, dtype=np.int8)
    for number, name in enumerate(SPLITS):
        numbers[values_read == getattr(split, name)] = number
    known = ", ".join(f"{name} {getattr(split, name)}" for name in SPLITS)
    _location(entries, split.branch).refuse(
        numbers < 0, "a value that is no split", values_read, f"Known are {known}; see split in the spec."
    )
    return numbers


def _location(entries: Entries, branch: str) -> BranchLocation:
    return entries.location(branch, entries.rows.count)


def _file_and_entry(path: Path, start: int, n_entry: int, n_column: int) -> list[Integers]:
    """Ids for entries without their own: the file's fingerprint and the entry, hashed to one number for a single id."""
    file = np.full(n_entry, fingerprint(path), dtype=np.int64)
    entry = np.arange(start, start + n_entry, dtype=np.int64)
    if n_column == 1:
        return [hash_ids(torch.from_numpy(np.stack([file, entry], axis=1))).numpy()]
    return [file, entry, *[np.zeros(n_entry, dtype=np.int64)] * (n_column - 2)]
