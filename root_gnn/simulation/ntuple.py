"""The standard event ntuple: its branches, cutting and joining them as arrays, and writing them to a ROOT file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from root_gnn.errors import InputError

Columns = dict[str, NDArray[Any]]
"""Branches by name: `(n_event,)` for single values and counters, all objects of all events in a row for collections."""

_F, _I1 = np.dtype(np.float32), np.dtype(np.int8)
_OBJECT = {"pt": _F, "eta": _F, "phi": _F, "e": _F}
COLLECTIONS: Mapping[str, Mapping[str, np.dtype[Any]]] = MappingProxyType({
    "jet": {**_OBJECT, "btag": _I1, "truthflav": _I1},
    "ele": {**_OBJECT, "charge": _I1},
    "mu": {**_OBJECT, "charge": _I1},
    "ph": _OBJECT,
})
TRUTH = ("higgs", "top1", "top2", "W", "Z")
SCALARS: Mapping[str, np.dtype[Any]] = MappingProxyType({
    "met_met": _F, "met_phi": _F, "met_sumet": _F,
    "eventNumber": np.dtype(np.int64), "resimulation": np.dtype(np.int16), "weight": _F, "process": np.dtype(np.int16),
    **{f"{name}_{suffix}": _I1 if suffix == "exists" else _F for name in TRUTH for suffix in ("exists", "pt", "eta", "phi", "m")},
    "n_higgs": _I1, "n_top": _I1, "n_W": _I1, "n_Z": _I1,
})
EVENTS_PER_BASKET = 10_000
_ZSTD_LEVEL = 5


@dataclass(frozen=True)
class Metadata:
    """The one row of the tree `metadata`: how a file was made and how to normalise it.

    Cross section in pb, before the preselection; `n_tried` events were simulated for the `n_kept` in the file, with weights adding up
    to `sum_of_weights`; `settings` is JSON with everything that decides the content besides process, seed and events.
    """

    process: str
    process_id: int
    seed: int
    generator: str
    cross_section: float
    cross_section_error: float
    n_tried: int
    n_kept: int
    n_failed: int
    sum_of_weights: float
    n_requested: int
    settings: str


def collection_of(branch: str) -> str | None:
    """The collection a branch belongs to; None for single values."""
    name = branch.split("_")[0]
    return name if name in COLLECTIONS else None


def select(columns: Columns, keep: NDArray[Any]) -> Columns:
    """The events for which the mask `keep (n_event,)` holds."""
    masks = {name: np.repeat(keep, columns[f"n{name}"]) for name in COLLECTIONS}
    return {branch: values[keep if (name := collection_of(branch)) is None else masks[name]] for branch, values in columns.items()}


def reorder(columns: Columns, order: NDArray[Any]) -> Columns:
    """The events in another order, `order (n_event,)` being their present places."""
    result: Columns = {}
    rows = {name: ak.unflatten(np.arange(int(columns[f"n{name}"].sum())), columns[f"n{name}"])[order] for name in COLLECTIONS}
    flat = {name: ak.to_numpy(ak.flatten(row)) for name, row in rows.items()}
    for branch, values in columns.items():
        name = collection_of(branch)
        result[branch] = values[order] if name is None else values[flat[name]]
    return result


def concatenate(parts: Sequence[Columns]) -> Columns:
    """The events of all parts one after the other."""
    return {branch: np.concatenate([part[branch] for part in parts]) for branch in parts[0]}


def write(path: Path, parts: Iterable[Columns], metadata: Callable[[], Metadata]) -> None:
    """Writes the trees `Events` (zstd) and `metadata`, no more than a basket in memory; `metadata` is asked when `parts` is used up."""
    with uproot.recreate(path, compression=uproot.ZSTD(_ZSTD_LEVEL)) as file:
        file.mktree("Events", _event_types(), counter_name=lambda name: f"n{name}")
        for basket in _baskets(parts):
            file["Events"].extend(_awkward(basket))
        row = asdict(metadata())
        file.mktree("metadata", {name: "string" if isinstance(value, str) else type(value).__name__ + "64" for name, value in row.items()})
        file["metadata"].extend({name: ak.Array([value]) if isinstance(value, str) else np.array([value]) for name, value in row.items()})


def _event_types() -> dict[str, Any]:
    types: dict[str, Any] = {}
    for name, branches in COLLECTIONS.items():
        record = ak.types.RecordType([ak.types.NumpyType(dtype.name) for dtype in branches.values()], list(branches))
        types[name] = ak.types.ListType(record)
    return {**types, **SCALARS}


def _baskets(parts: Iterable[Columns]) -> Iterator[Columns]:
    held: list[Columns] = []
    for part in parts:
        held.append(part)
        if sum(len(columns["weight"]) for columns in held) >= EVENTS_PER_BASKET:
            yield concatenate(held)
            held = []
    if held:
        yield concatenate(held)


def _awkward(columns: Columns) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, branches in COLLECTIONS.items():
        flat = ak.zip({field: columns[f"{name}_{field}"].astype(dtype) for field, dtype in branches.items()})
        result[name] = ak.unflatten(flat, columns[f"n{name}"])
    return result | {branch: columns[branch].astype(dtype) for branch, dtype in SCALARS.items()}


def read_metadata(path: Path) -> Metadata | None:
    """The metadata of a file that `write` made, None where the tree is missing or another; InputError where it is no ROOT file."""
    try:
        with uproot.open(path) as file:
            if "metadata" not in file:
                return None
            row = file["metadata"].arrays(library="np")
    except (OSError, ValueError, uproot.exceptions.KeyInFileError) as error:
        raise InputError(f"{path}: expected a ROOT file, but it cannot be read ({error}); remove it or choose another folder") from error
    names = [field.name for field in fields(Metadata)]
    if any(name not in row or len(row[name]) != 1 for name in names):
        return None
    return Metadata(**{name: row[name][0] if isinstance(row[name][0], str) else row[name][0].item() for name in names})
