"""The standard ntuples of events and of jets: their branches, selection and joining as arrays, and the ROOT file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from root_gnn.errors import InputError

NtupleColumns = dict[str, NDArray[Any]]
"""Branches by name: `(n_row,)` for single values and counters, all objects of all rows in a row for collections.

A row is an event, or a jet.
"""

Types = Mapping[str, np.dtype[Any]]


@dataclass(frozen=True)
class Layout:
    """A tree: its name, the branches of each collection (without prefix), and the branches with one value per row."""

    tree: str
    collections: Mapping[str, Types]
    scalars: Types

    def with_scalars(self, further: Types) -> Layout:
        """The same layout with further branches of one value per row."""
        return replace(self, scalars={**self.scalars, **further})

    def collection_of(self, branch: str) -> str | None:
        """The collection a branch belongs to; None for single values."""
        name = branch.split("_")[0]
        return name if name in self.collections else None


_F, _I1 = np.dtype(np.float32), np.dtype(np.int8)
_NUMBERS: Types = {"eventNumber": np.dtype(np.int64), "resimulation": np.dtype(np.int16), "weight": _F}
_OBJECT = {"pt": _F, "eta": _F, "phi": _F, "e": _F}
_OBJECTS: Mapping[str, Types] = MappingProxyType(
    {
        "jet": {**_OBJECT, "btag": _I1, "truthflav": _I1},
        "ele": {**_OBJECT, "charge": _I1},
        "mu": {**_OBJECT, "charge": _I1},
        "ph": _OBJECT,
    }
)
TRUTH = ("higgs", "top1", "top2", "W", "Z")
_EVENT: Types = MappingProxyType(
    {
        "met_met": _F,
        "met_phi": _F,
        "met_sumet": _F,
        **_NUMBERS,
        "process": np.dtype(np.int16),
        **{
            f"{name}_{suffix}": _I1 if suffix == "exists" else _F
            for name in TRUTH
            for suffix in ("exists", "pt", "eta", "phi", "m")
        },
        "n_higgs": _I1,
        "n_top": _I1,
        "n_W": _I1,
        "n_Z": _I1,
    }
)
CLASSES = (
    "QCD",
    "Hbb",
    "Hcc",
    "Hgg",
    "H4q",
    "Hqql",
    "Zqq",
    "Wqq",
    "Tbqq",
    "Tbl",
)  # labels of jets, in the order of JetClass
_KINDS = ("ChargedHadron", "NeutralHadron", "Photon", "Electron", "Muon")
_PART: Types = {
    **dict.fromkeys(("px", "py", "pz", "energy", "deta", "dphi", "d0val", "d0err", "dzval", "dzerr", "charge"), _F),
    **{f"is{kind}": _I1 for kind in _KINDS},
}
_JET: Types = MappingProxyType(
    {
        **{
            f"jet_{name}": _F
            for name in ("pt", "eta", "phi", "energy", "nparticles", "sdmass", "tau1", "tau2", "tau3", "tau4")
        },
        **{f"label_{name}": _I1 for name in CLASSES},
        **{f"aux_genpart_{name}": _F for name in ("pid", "pt", "eta", "phi", "mass")},
        "aux_truth_match": _F,
        **_NUMBERS,
        "jet_index": np.dtype(np.int16),
    }
)
N_PILEUP: Types = MappingProxyType({"n_pileup": np.dtype(np.int16)})
EVENTS = Layout("Events", _OBJECTS, _EVENT)
JETS = Layout("tree", MappingProxyType({"part": _PART}), _JET)
EVENTS_PER_BASKET = 10_000
_ZSTD_LEVEL = 5


@dataclass(frozen=True)
class Metadata:
    """The one row of the tree `metadata`: how a file was made and how to normalise it.

    Cross section in pb, before the preselection; `n_tried` events were simulated for the `n_kept` events (jets, where
    it is a file of one class of jets) in the file, with weights adding up to `sum_of_weights`, every re-simulation
    counted; `settings` is JSON with everything that decides the content besides process, seed and events.
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


def select_rows(columns: NtupleColumns, keep: NDArray[Any], layout: Layout = EVENTS) -> NtupleColumns:
    """The rows for which the mask `keep (n_row,)` holds."""
    masks = {name: np.repeat(keep, columns[f"n{name}"]) for name in layout.collections}
    return {
        branch: values[keep if (name := layout.collection_of(branch)) is None else masks[name]]
        for branch, values in columns.items()
    }


def reorder(columns: NtupleColumns, order: NDArray[Any], layout: Layout = EVENTS) -> NtupleColumns:
    """The rows in another order; `order (n_row,)` are their present indices."""
    result: NtupleColumns = {}
    rows = {
        name: ak.unflatten(np.arange(int(columns[f"n{name}"].sum())), columns[f"n{name}"])[order]
        for name in layout.collections
    }
    flat = {name: ak.to_numpy(ak.flatten(row)) for name, row in rows.items()}
    for branch, values in columns.items():
        name = layout.collection_of(branch)
        result[branch] = values[order] if name is None else values[flat[name]]
    return result


def concatenate_columns(parts: Sequence[NtupleColumns]) -> NtupleColumns:
    """The rows of all parts one after the other."""
    return {branch: np.concatenate([part[branch] for part in parts]) for branch in parts[0]}


def write_ntuple(
    path: Path, parts: Iterable[NtupleColumns], metadata: Callable[[], Metadata], layout: Layout = EVENTS
) -> None:
    """Writes the tree of the layout and the tree `metadata` to a ROOT file (zstd), one basket in memory at a time.

    `metadata` is called after the last of `parts`.
    """
    with uproot.recreate(path, compression=uproot.ZSTD(_ZSTD_LEVEL)) as file:
        file.mktree(layout.tree, _types(layout), counter_name=lambda name: f"n{name}")
        for basket in _baskets(parts):
            file[layout.tree].extend(_awkward(basket, layout))
        row = asdict(metadata())
        file.mktree(
            "metadata",
            {name: "string" if isinstance(value, str) else type(value).__name__ + "64" for name, value in row.items()},
        )
        file["metadata"].extend(
            {name: ak.Array([value]) if isinstance(value, str) else np.array([value]) for name, value in row.items()}
        )


def _types(layout: Layout) -> dict[str, Any]:
    types: dict[str, Any] = {}
    for name, branches in layout.collections.items():
        record = ak.types.RecordType([ak.types.NumpyType(dtype.name) for dtype in branches.values()], list(branches))
        types[name] = ak.types.ListType(record)
    return {**types, **layout.scalars}


def _baskets(parts: Iterable[NtupleColumns]) -> Iterator[NtupleColumns]:
    waiting: list[NtupleColumns] = []
    for part in parts:
        waiting.append(part)
        if sum(len(columns["weight"]) for columns in waiting) >= EVENTS_PER_BASKET:
            yield concatenate_columns(waiting)
            waiting = []
    if waiting:
        yield concatenate_columns(waiting)


def _awkward(columns: NtupleColumns, layout: Layout) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, branches in layout.collections.items():
        flat = ak.zip({field: columns[f"{name}_{field}"].astype(dtype) for field, dtype in branches.items()})
        result[name] = ak.unflatten(flat, columns[f"n{name}"])
    return result | {branch: columns[branch].astype(dtype) for branch, dtype in layout.scalars.items()}


def read_metadata(path: Path) -> Metadata | None:
    """The metadata of a file that `write_ntuple` made; None where the tree is missing or a different one.

    Raises InputError where the file is no ROOT file.
    """
    try:
        with uproot.open(path) as file:
            if "metadata" not in file:
                return None
            row = file["metadata"].arrays(library="np")
    except (OSError, ValueError, uproot.exceptions.KeyInFileError) as error:
        raise InputError(
            f"{path}: expected a ROOT file, but it cannot be read ({error}); remove it or choose another folder"
        ) from error
    names = [field.name for field in fields(Metadata)]
    if any(name not in row or len(row[name]) != 1 for name in names):
        return None
    return Metadata(**{name: row[name][0] if isinstance(row[name][0], str) else row[name][0].item() for name in names})
