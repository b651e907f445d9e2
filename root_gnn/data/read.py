"""A file's entries as awkward records with the spec's names, in GeV and radians, whatever the file held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import torch
from numpy.typing import NDArray

from root_gnn.data.branches import Selection, select
from root_gnn.data.checksum import fingerprint
from root_gnn.data.columns import Floats, Integers, Place, check_momentum, finite, flat, whole
from root_gnn.data.spec import Collection, Spec, Value
from root_gnn.errors import InputError
from root_gnn.graph.hashing import hash_ids
from root_gnn.kinematics.angles import wrap_phi
from root_gnn.kinematics.fourvectors import energy_of, to_cylindrical
from root_gnn.protocols import Source


def read(path: Path | str, spec: Spec, *, start: int = 0, stop: int | None = None) -> ak.Array:
    """Records of the entries `start .. stop - 1` (to the end without `stop`; a larger one is cut, as in Python).

    One field per collection, a list of records per entry (one record where the collection is `single`) with the spec's
    node features but `type`: `pt energy` in GeV, `eta phi` with phi in [-pi, pi], float32. Beside them `ids` (n, n_id)
    int64, `weight` float64, `label` int64 where the spec has one, and `truth` with the truth columns the file has, float32.
    Raises InputError naming file, branch and entry where the file is not what the spec says.
    """
    path = Path(path)
    if start < 0 or (stop is not None and stop < start):
        raise InputError(f"entries {start} to {stop} of {path} were asked for; 0 <= start <= stop was expected.")
    with open_records(path, spec) as records:
        stop = records.n_entry if stop is None else min(stop, records.n_entry)
        return records.read(min(start, stop), stop)


def iterate(path: Path | str, spec: Spec) -> Iterator[ak.Array]:
    """The records of a whole file, in order, in pieces that fit in memory."""
    with open_records(Path(path), spec) as records:
        for start, stop in records.chunks():
            yield records.read(start, stop)


@contextmanager
def open_records(path: Path, spec: Spec) -> Iterator[RecordFile]:
    """A file to read records from, range by range; raises InputError where it lacks a branch of the spec."""
    with spec.source.open(path) as source:
        yield RecordFile(path, spec, source)


class RecordFile:
    """An open file and what the spec makes of it."""

    def __init__(self, path: Path, spec: Spec, source: Source) -> None:
        self.path, self.spec, self._source = path, spec, source
        self.n_entry = source.n_entry
        self.selection = select(spec, source.branches, path)

    def chunks(self) -> Iterator[tuple[int, int]]:
        """Ranges of entries, from the first to the last, that fit in memory."""
        return self._source.chunks(self.selection.branches)

    def metadata(self) -> dict[str, Any]:
        """What the file says about the sample as a whole."""
        return self._source.metadata()

    def read(self, start: int, stop: int) -> ak.Array:
        """Records of the entries `start .. stop - 1`, as the function `read` describes them."""
        spec, selection = self.spec, self.selection
        entries = _Entries(self.path, self._source.read(selection.branches, start, stop), start, stop - start)
        fields: dict[str, Any] = {}
        for name, collection in spec.nodes.items():
            fields[name] = entries.collection(spec, name, collection, selection.nodes[name])
        fields["ids"] = entries.ids(selection, spec)
        fields["weight"] = entries.weight(selection.weight)
        if spec.label and selection.label:
            fields["label"] = entries.label(selection.label, spec.label.classes)
        if selection.truth:
            fields["truth"] = ak.Array({name: entries.numbers(value).astype(np.float32) for name, value in selection.truth.items()})
        layouts = [ak.to_layout(field) for field in fields.values()]
        return ak.Array(ak.contents.RecordArray(layouts, list(fields), length=stop - start))


class _Entries:
    """The branches of a range of entries, and what the spec makes of them."""

    def __init__(self, path: Path, arrays: dict[str, Any], start: int, n_entry: int) -> None:
        self.path, self.arrays, self.start, self.n_entry = path, arrays, start, n_entry

    def numbers(self, value: Value) -> Floats:
        """One finite number per entry."""
        numbers, place = self._flat(value.branch)
        return _scaled(finite(numbers, place), value, 1.0)

    def weight(self, factors: tuple[Value, ...]) -> Floats:
        """The product of the factors, 1 without any."""
        product = np.ones(self.n_entry)
        for value in factors:
            product *= self.numbers(value)
        return product

    def ids(self, selection: Selection, spec: Spec) -> NDArray[np.int64]:
        """The id columns, `(n_entry, n_id)`: file and entry where the spec has none or the file lacks them."""
        if selection.ids:
            columns = [self._whole(value.branch) for value in selection.ids]
        else:
            columns = _file_and_entry(self.path, self.start, self.n_entry, spec.n_split_id)
        if spec.resimulation:
            repeat = selection.resimulation
            columns.append(np.zeros(self.n_entry, dtype=np.int64) if repeat is None else self._whole(repeat.branch))
        return np.stack(columns, axis=1)

    def label(self, branch: str, classes: dict[str, int]) -> NDArray[np.int64]:
        """The class index of each entry; raises InputError at a value that is no class."""
        values = self._whole(branch)
        meaning = np.array(list(classes.values()), dtype=np.int64)
        matches = values[:, None] == meaning[None, :]
        place = Place(self.path, branch, self.start)
        place.refuse(~matches.any(axis=1), "a value that is no class", values, f"Known are {classes}; add it to label.classes of the spec.")
        return np.asarray(matches.argmax(axis=1), dtype=np.int64)

    def collection(self, spec: Spec, name: str, collection: Collection, values: dict[str, Value] | None) -> ak.contents.Content:
        """Records of one collection: a list per entry, or one each."""
        columns: dict[str, Floats] = {}
        count: Integers | None = np.zeros(self.n_entry, dtype=np.int64)
        if values is not None:
            columns, count = self._columns(collection, values)
        n_object = self.n_entry if count is None else int(count.sum())
        features = momentum_features(columns, n_object)
        if not np.isfinite(features["energy"]).all() or not np.isfinite(features["eta"]).all():
            place = Place(self.path, f"{name} (energy or eta derived from {', '.join(columns)})", self.start, count)
            place.refuse(~np.isfinite(features["energy"] + features["eta"]), "infinity", features["eta"], "Is eta a sentinel?")
        contents = [ak.contents.NumpyArray(features.get(key, np.zeros(n_object)).astype(np.float32)) for key in spec.stored_features]
        record = ak.contents.RecordArray(contents, list(spec.stored_features), length=n_object)
        if count is None:
            return record
        offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        return ak.contents.ListOffsetArray(ak.index.Index64(offsets), record)

    def _columns(self, collection: Collection, values: dict[str, Value]) -> tuple[dict[str, Floats], Integers | None]:
        columns: dict[str, Floats] = {}
        first: tuple[str, Integers] | None = None
        for name, value in values.items():
            numbers, place = self._flat(value.branch, jagged=not collection.single)
            if place.count is not None:
                first = first or (value.branch, place.count)
                _same_counts(place, place.count, *first)
            columns[name] = _scaled(finite(numbers, place), value, collection.factor(name, value))
            check_momentum(name, columns[name], place)
        return columns, first[1] if first else None

    def _flat(self, branch: str, *, jagged: bool = False) -> tuple[NDArray[Any], Place]:
        numbers, count = flat(self.arrays[branch], Place(self.path, branch, self.start), jagged=jagged)
        return numbers, Place(self.path, branch, self.start, count)

    def _whole(self, branch: str) -> Integers:
        return whole(*self._flat(branch))


def momentum_features(columns: dict[str, Floats], n_object: int) -> dict[str, Floats]:
    """The columns with `pt eta phi energy` instead of whatever the momentum was given by; phi wrapped into [-pi, pi]."""
    zero = np.zeros(n_object)
    given = {name: values for name, values in columns.items() if name not in ("px", "py", "pz", "mass")}
    if "px" in columns:
        momentum: tuple[Floats, ...] = to_cylindrical(columns["px"], columns["py"], columns.get("pz", zero))
        given["pt"], given["eta"], given["phi"] = momentum
    for name in ("pt", "eta", "phi"):
        given.setdefault(name, zero)
    given["phi"] = wrap_phi(given["phi"])
    if "energy" not in given:
        with np.errstate(over="ignore"):
            given["energy"] = energy_of(given["pt"], given["eta"], columns.get("mass", zero))
    return given


def _file_and_entry(path: Path, start: int, n_entry: int, n_column: int) -> list[Integers]:
    """Ids of entries that have none of their own: file and entry, mixed into one number where the spec's ids are one."""
    file = np.full(n_entry, fingerprint(path), dtype=np.int64)
    entry = np.arange(start, start + n_entry, dtype=np.int64)
    if n_column == 1:
        return [hash_ids(torch.from_numpy(np.stack([file, entry], axis=1))).numpy()]
    return [file, entry, *[np.zeros(n_entry, dtype=np.int64)] * (n_column - 2)]


def _scaled(numbers: Floats, value: Value, factor: float) -> Floats:
    if value.above is not None:
        return (numbers > value.above).astype(np.float64)
    return numbers if factor == 1.0 else numbers * factor


def _same_counts(place: Place, count: Integers, other: str, expected: Integers) -> None:
    differ = count != expected
    if differ.any():
        entry = int(np.argmax(differ))
        raise InputError(
            f"{place.path}: the branches {other} and {place.branch} belong to one collection, but entry {place.start + entry} has "
            f"{expected[entry]} and {count[entry]} values ({int(differ.sum()):,} such entries). The file is damaged, or the spec mixes "
            f"collections."
        )
