"""Larger files for benchmarks: standard ntuples resampled event by event, with event numbers of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from root_gnn.errors import InputError
from root_gnn.simulation import ntuple

Counts = NDArray[Any]
AT_A_TIME = 50_000
PROCESSES = ("WH", "ZH", "ttH", "ttbar")
FIXTURES = Path(__file__).parents[1] / "tests" / "data"


def simulated_files(data_dir: Path | None, processes: Sequence[str] = PROCESSES) -> list[Path]:
    """The standard ntuples of some processes in a folder, else those that lie in the repository.

    Raises InputError where there are none.
    """
    folder = data_dir or FIXTURES
    files = [folder / f"{process}.root" for process in processes]
    there = [file for file in files if file.is_file()]
    if not there:
        raise InputError(
            f"{folder}: expected {', '.join(file.name for file in files)}, as `root-gnn simulate` writes them; name a "
            "folder "
            "that has them with --data-dir (an installed package comes without the repository's)."
        )
    return there


def resample(
    files: Sequence[Path],
    path: Path,
    n_event: int,
    *,
    seed: int,
    n_object: Callable[[np.random.Generator, int], Counts] | None = None,
) -> None:
    """Writes `n_event` events drawn with replacement from `files`, as the simulation writes them.

    Event numbers start at `seed` x 10^9.

    `n_object` draws how many objects events have, missing energy and leptons among them: jets are drawn from all events
    then.
    """
    columns = ntuple.concatenate_columns([_columns(file) for file in files])
    metadata = ntuple.read_metadata(files[0])
    if metadata is None:
        raise SystemExit(f"{files[0]} was not written by root-gnn simulate")
    rng = np.random.default_rng(seed)
    total = 0.0

    def parts() -> Iterator[ntuple.NtupleColumns]:
        nonlocal total
        for start in range(0, n_event, AT_A_TIME):
            n = min(AT_A_TIME, n_event - start)
            part = ntuple.reorder(columns, rng.integers(0, len(columns["weight"]), n))
            if n_object is not None:
                part |= _jets(
                    columns, rng, n_object(rng, n) - 1 - sum(part[f"n{name}"] for name in ("ele", "mu", "ph"))
                )
            part["eventNumber"] = np.arange(start, start + n, dtype=np.int64) + seed * 10**9
            total += float(part["weight"].sum(dtype=np.float64))
            yield part

    ntuple.write_ntuple(
        path, parts(), lambda: replace(metadata, seed=seed, n_kept=n_event, n_requested=n_event, sum_of_weights=total)
    )


def _jets(columns: ntuple.NtupleColumns, rng: np.random.Generator, n_jet: Counts) -> ntuple.NtupleColumns:
    """The branches of jets drawn from those of all events, `n_jet (n_event,)` and one at least."""
    n_jet = np.maximum(n_jet, 1)
    drawn = rng.integers(0, int(columns["njet"].sum()), int(n_jet.sum()))
    jets = {name: values[drawn] for name, values in columns.items() if ntuple.EVENTS.collection_of(name) == "jet"}
    return {"njet": n_jet.astype(columns["njet"].dtype), **jets}


def _columns(path: Path) -> ntuple.NtupleColumns:
    with uproot.open(path) as file:
        arrays = file["Events"].arrays(library="ak", how=dict)
    return {name: ak.to_numpy(ak.flatten(array) if array.ndim > 1 else array) for name, array in arrays.items()}
