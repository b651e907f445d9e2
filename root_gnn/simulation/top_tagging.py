"""Jets in the layout of the Top Quark Tagging Reference Dataset.

Kasieczka et al. 2019, arXiv:1902.09914, Zenodo 2603256. The set is a table of pandas in an HDF5 file. Its format is
written here field by field, so that neither pandas nor PyTables is needed; lists of names are stored in attributes as
pickles of protocol 0, which are plain text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import uproot
from numpy.typing import NDArray

from root_gnn.atomic import atomic_file
from root_gnn.console import log
from root_gnn.errors import InputError
from root_gnn.simulation.ntuple import JETS

N_CONSTITUENT = 200
BACKGROUND, SIGNAL = "QCD", "Tbqq"
TRAIN, TEST, VALIDATION = 0, 1, 2
_SHARES = (0.6, 0.2, 0.2)  # of train, test, validation, as in the set
_BLOCK = 20_000  # rows padded and written at a time
_MOMENTUM = ("E", "PX", "PY", "PZ")
_NUMBERS = (
    *(f"{name}_{i}" for i in range(N_CONSTITUENT) for name in _MOMENTUM),
    *(f"truth{name}" for name in _MOMENTUM),
)
_FLAGS = ("ttv", "is_signal_new")
_ROW = np.dtype(
    [("index", "<i8"), ("values_block_0", "<f4", (len(_NUMBERS),)), ("values_block_1", "<i8", (len(_FLAGS),))]
)
Table = Mapping[str, Any]


def check_request(path: Path, processes: Sequence[str], level: str, resimulate: int) -> None:
    """Raises InputError unless jets of top quarks and of QCD are requested, once each."""
    if level != "jets" or sorted(processes) != sorted((BACKGROUND, SIGNAL)) or resimulate != 1:
        raise InputError(
            f"--top-tagging {path}: expected --level jets --process {BACKGROUND} --process {SIGNAL}, without "
            "--resimulate; the set has pt between 550 and 650 GeV: --param pt_min=550 --param pt_max=650"
        )
    if path.suffix not in (".h5", ".hdf5"):
        raise InputError(f"--top-tagging {path}: expected a name that ends in .h5")


def write_top_tagging(path: Path, files: Sequence[Path], *, seed: int) -> None:
    """Writes the jets of `files` (the jet ntuple), mixed in an order that depends on `seed`, as the table `table`.

    The 200 hardest constituents of each jet (GeV, zeros behind them), the momentum of the top quark (zeros for QCD),
    `is_signal_new`, and `ttv`: 0 for 60 % of the events (training), 1 for 20 % (test), 2 for 20 % (validation). Jets of
    one event stay together.
    """
    tables = [_read(file) for file in files]
    rng = np.random.default_rng([seed, 1902_09914])
    usage = np.concatenate([_usage(table["eventNumber"], rng) for table in tables])
    table = {name: ak.concatenate([table[name] for table in tables]) for name in tables[0]}
    order = rng.permutation(len(usage))
    with atomic_file(path) as temporary, h5py.File(temporary, "w") as file:
        dataset = _prepare(file, len(order))
        for first in range(0, len(order), _BLOCK):
            rows = order[first : first + _BLOCK]
            dataset[first : first + len(rows)] = _block(
                {name: values[rows] for name, values in table.items()}, usage[rows], first
            )
    log.info("%s: %s jets in the layout of the Top Tagging reference set", path, f"{len(order):,}")


def _read(path: Path) -> Table:
    parts = {"E": "part_energy", "PX": "part_px", "PY": "part_py", "PZ": "part_pz"}
    scalars = ["eventNumber", f"label_{BACKGROUND}", *(f"aux_genpart_{name}" for name in ("pt", "eta", "phi", "mass"))]
    with uproot.open(path) as file:
        events = file[JETS.tree].arrays([*parts.values(), *scalars])
    constituents = {name: events[branch][:, :N_CONSTITUENT] for name, branch in parts.items()}
    return constituents | {name: ak.to_numpy(events[name]) for name in scalars}


def _usage(event: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Training, test or validation for each jet `(n_jet,)`, in exact fractions of the events."""
    events, index = np.unique(event, return_inverse=True)
    edges = np.round(np.cumsum(_SHARES) * len(events))
    chosen = np.searchsorted(edges, np.arange(len(events)), side="right")
    return np.asarray(rng.permutation(chosen)[index.reshape(-1)], dtype=np.int64)


def _block(table: Table, usage: NDArray[np.int64], first: int) -> NDArray[Any]:
    """Rows of the table for some jets; `first` is the index of the first row."""
    n = len(usage)
    rows = np.zeros(n, dtype=_ROW)
    rows["index"] = first + np.arange(n)
    columns = [
        ak.to_numpy(ak.fill_none(ak.pad_none(table[name], N_CONSTITUENT), np.float32(0.0))) for name in _MOMENTUM
    ]
    numbers = np.stack(columns, axis=2).reshape(n, 4 * N_CONSTITUENT)
    pt, eta, phi, mass = (
        np.asarray(table[f"aux_genpart_{name}"], dtype=np.float64) for name in ("pt", "eta", "phi", "mass")
    )
    truth = np.stack((np.hypot(pt * np.cosh(eta), mass), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)), axis=1)
    rows["values_block_0"] = np.concatenate((numbers, truth), axis=1)
    rows["values_block_1"] = np.stack((usage, 1 - np.asarray(table[f"label_{BACKGROUND}"], dtype=np.int64)), axis=1)
    return rows


def _prepare(file: h5py.File, n_row: int) -> Any:
    """Creates the empty table with the attributes that pandas needs."""
    _describe(file, CLASS="GROUP", PYTABLES_FORMAT_VERSION="2.1", TITLE="", VERSION="1.0")
    group = file.create_group("table")
    _describe(
        group,
        CLASS="GROUP",
        TITLE="",
        VERSION="1.0",
        pandas_type="frame_table",
        pandas_version="0.15.2",
        table_type="appendable_frame",
        encoding="UTF-8",
        errors="strict",
        data_columns="(l.",
        index_cols="(l(I0\nVindex\nta.",
        info="(d.",
        levels=np.int64(1),
        nan_rep="nan",
        non_index_axes=f"(l(I1\n{_list_of((*_NUMBERS, *_FLAGS))[:-1]}ta.",
        values_cols=_list_of(("values_block_0", "values_block_1")),
    )
    dataset = group.create_dataset(
        "table", (n_row,), dtype=_ROW, chunks=(max(1, min(n_row, 256)),), compression="gzip", compression_opts=4
    )
    _describe(dataset, CLASS="TABLE", TITLE="", VERSION="2.7", NROWS=np.int64(n_row), index_kind="integer")
    for i, (name, fill) in enumerate(
        (("index", np.int64(0)), ("values_block_0", np.float32(0.0)), ("values_block_1", np.int64(0)))
    ):
        _describe(dataset, **{f"FIELD_{i}_NAME": name, f"FIELD_{i}_FILL": fill})
    for name, kind, columns in (("values_block_0", "float32", _NUMBERS), ("values_block_1", "int64", _FLAGS)):
        _describe(dataset, **{f"{name}_dtype": kind, f"{name}_kind": _list_of(columns), f"{name}_meta": "N."})
    return dataset


def _describe(target: Any, **attributes: Any) -> None:
    """Sets attributes as PyTables does: text in UTF-8, which it returns as text, and pickles in ASCII."""
    for name, value in attributes.items():
        if not isinstance(value, str):
            target.attrs[name] = value
        elif not value:
            target.attrs[name] = h5py.Empty("S1")
        elif value.endswith("."):
            target.attrs[name] = np.bytes_(value.encode("ascii"))
        else:
            target.attrs.create(name, value.encode(), dtype=h5py.string_dtype("utf-8", len(value.encode())))


def _list_of(names: Sequence[str]) -> str:
    """A list of names as a text pickle."""
    return "(l" + "".join(f"V{name}\na" for name in names) + "."
