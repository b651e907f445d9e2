"""Layer-by-layer CKA of finished runs on the same events: `root-gnn cka` and `scripts/compare_cka.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from root_gnn import plots
from root_gnn.atomic import write_json
from root_gnn.console import log, progress
from root_gnn.data.events.loader import evaluation_loader
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.table import EventTable
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.protocols import Objective, Supervised
from root_gnn.runs.run import Run, load_run
from root_gnn.similarity.cka import Estimator, LayerMatrix, layer_matrix
from root_gnn.typing import Index

Layers = dict[str, NDArray[np.float32]]
Matrix: TypeAlias = list[list[float | None]]
Pair = tuple[str, str, LayerMatrix]
BATCH_SIZE = 512
DRAW_SEED = 1


def compare_layers(
    runs: Sequence[Run | Path | str],
    *,
    events: int = 10_000,
    out: Path | None = None,
    data_dir: Path | None = None,
    estimator: Estimator = "debiased_linear",
    n_permutation: int = 50,
    allow_plugins: Collection[str] = (),
) -> dict[str, Any]:
    """Compares every pair of runs layer by layer, writes `cka.json` and `cka.png`, and returns what the JSON holds.

    Layers are those of `Encoder.layers` and, where a run has a head, `decoder`, which is what its last linear layer
    reads. All runs see the same events, drawn from the test split of the first run's data, in record order. Runs of
    different depth can be compared: `layers` names the layers of all runs, and values for layers that a run does not
    have are null. `matrix`, `error` and `null` at the top are those of the first pair; `pairs` holds them for every
    pair. Rows are layers of the first run of a pair, columns those of the second.

    Args:
        runs: two or more runs: run folders, names, packed runs or `Run` objects.
        events: how many events; all of the test split where it has fewer. Memory grows with it, by all layers' widths.
        out: the folder to write to; `cka` in the current folder unless given.
        data_dir: where the data paths of the first run start.
        estimator: see `root_gnn.similarity.cka`; `biased_gram` is the n x n form, for up to 5000 events.
        n_permutation: random orders of the events that give the level of unrelated representations.
        allow_plugins: modules of one's own that the runs may import.

    Raises:
        InputError: for fewer than two runs, and for runs that read other features than the first.
    """
    opened = [run if isinstance(run, Run) else load_run(run, allow_plugins=allow_plugins) for run in runs]
    if len(opened) < 2:
        raise InputError(f"A comparison with CKA takes two runs or more and got {len(opened)}.")
    if events < 4:
        raise InputError(f"CKA needs at least four events, and {events} were asked for.")
    _check_features(opened)
    table = opened[0].table(data_dir)
    index = drawn(split_table(table, opened[0].recipe.data.split).test, events)
    names = run_labels(opened)
    layers = [layer_representations(run, table, index, title=name) for run, name in zip(opened, names, strict=True)]
    matrices = _matrices(names, layers, estimator=estimator, n_permutation=n_permutation)
    every = merged([list(one) for one in layers])
    found = {
        "runs": names,
        "layers": every,
        "n_events": len(index),
        "estimator": estimator,
        **_content(matrices, every),
    }
    folder = Path("cka") if out is None else out
    write_json(folder / "cka.json", found)
    plots.similarity(matrices, folder / "cka.png")
    log.info(
        "%s and cka.png: CKA of %d %s of runs on %s events",
        folder / "cka.json",
        len(found["pairs"]),
        "pair" if len(found["pairs"]) == 1 else "pairs",
        f"{len(index):,}",
    )
    return found


def layer_representations(run: Run, table: EventTable, index: Index, *, title: str = "") -> Layers:
    """Returns the layers of a run by name, `(n, layer_dim)` each, for the events `index (n,)` of a table."""
    return layers_of(run.objective, table, index, title=title or run.name)


def layers_of(objective: Objective, table: EventTable, index: Index, *, title: str) -> Layers:
    """Returns the output of each layer, `(n, dim)` by name, for an objective in evaluation mode.

    Args:
        objective: an objective with its encoder.
        table: the open events.
        index: rows of the table, `(n,)`.
        title: text of the progress bar.
    """
    parts: dict[str, list[NDArray[np.float32]]] = {}
    with torch.inference_mode(), progress(f"layers of {title}", len(index)) as meter:
        for batch in evaluation_loader(table, index, BATCH_SIZE):
            for name, value in _layers(objective, batch).items():
                parts.setdefault(name, []).append(value.float().numpy())
            meter.advance(batch.n_graph)
    return {name: np.concatenate(values) for name, values in parts.items()}


def drawn(index: Index, n: int) -> Index:
    """Draws at most `n` of the rows `index`, the same ones each time, in ascending order.

    Rows are drawn because the events of a table are ordered by class.
    """
    return index if n >= len(index) else np.sort(np.random.default_rng(DRAW_SEED).choice(index, n, replace=False))


def run_labels(runs: Sequence[Run]) -> list[str]:
    """Names each run by its folder, or by its path where two folders have the same name."""
    names = [run.name for run in runs]
    return names if len(set(names)) == len(names) else [str(run.folder) for run in runs]


def merged(lists: Iterable[Sequence[str]]) -> list[str]:
    """Merges several ordered lists of names into one that has each name once.

    A new name comes behind the one it follows in its own list.
    """
    result: list[str] = []
    for names in lists:
        place = 0
        for name in names:
            if name not in result:
                result.insert(place, name)
            place = result.index(name) + 1
    return result


def _layers(objective: Objective, batch: Batch) -> dict[str, Tensor]:
    found = objective.encoder.layers(batch)
    if isinstance(objective, Supervised) and objective.head.valid_graphs(batch) is None:  # else it reads whole events
        found = {**found, "decoder": objective.head.features(objective.encoded(batch))}
    return found


def _check_features(runs: Sequence[Run]) -> None:
    first = runs[0].spec.features()
    for run in runs[1:]:
        if run.spec.features() != first:
            raise InputError(
                f"{run.folder} reads the node features {run.spec.features()}, and {runs[0].folder} reads {first}; "
                "CKA shows the same events to all runs, so compare runs that read the same features."
            )


def _matrices(names: list[str], layers: list[Layers], *, estimator: Estimator, n_permutation: int) -> list[Pair]:
    pairs = list(combinations(range(len(names)), 2))
    found = []
    with progress("CKA", len(pairs), "pairs") as meter:
        for one, other in pairs:
            matrix = layer_matrix(layers[one], layers[other], estimator=estimator, n_permutation=n_permutation)
            found.append((names[one], names[other], matrix))
            meter.advance(1)
    return found


def _content(matrices: list[Pair], every: list[str]) -> dict[str, Any]:
    pairs = []
    for one, other, found in matrices:
        parts = {"matrix": found.value, "error": found.error, "null": found.null}
        pairs.append({"runs": [one, other], **{key: _placed(found, part, every) for key, part in parts.items()}})
    return {**{key: pairs[0][key] for key in ("matrix", "error", "null")}, "pairs": pairs}


def _placed(found: LayerMatrix, part: Matrix, every: Sequence[str]) -> Matrix:
    """Extends a matrix over the layers of two runs to all layers, with None where a run lacks the layer."""
    rows = {name: k for k, name in enumerate(found.layers_a)}
    columns = {name: k for k, name in enumerate(found.layers_b)}
    return [[part[rows[a]][columns[b]] if a in rows and b in columns else None for b in every] for a in every]
