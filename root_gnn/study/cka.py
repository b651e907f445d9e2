"""How alike the representations of a study are: CKA between groups, against training size and along the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from root_gnn.analysis.cka import Layers, layer_representations, layers_of
from root_gnn.data.events.table import EventTable
from root_gnn.runs.run import Run
from root_gnn.similarity.cka import LayerMatrix, layer_matrix
from root_gnn.similarity.seed_baseline import SeedBaseline, seed_baseline
from root_gnn.study.results import CellResult
from root_gnn.typing import Index

ValueWithError = tuple[float | None, float | None]
FLOOR = "floor"
N_PERMUTATION = 20


@dataclass(frozen=True)
class Similarity:
    """CKA of the first seeds of groups on the same test events.

    Attributes:
        n_event: how many.
        floor: between seeds of scratch at the largest size; None with one seed.
        pairs: at the largest size, by the names of two groups, layer by layer.
        by_size: by training size and group, of the last layer with that of scratch, and by size under `floor` between
            scratch's seeds.
        by_epoch: the same by epoch (from 1) at the largest size, with the trained scratch; for scratch with itself.
            Only epochs that were kept.
    """

    n_event: int
    floor: SeedBaseline | None
    pairs: dict[tuple[str, str], LayerMatrix]
    by_size: dict[int, dict[str, ValueWithError]]
    by_epoch: dict[int, dict[str, ValueWithError]]


def study_similarity(
    layers: Mapping[int, Mapping[str, Sequence[Layers]]], by_epoch: dict[int, dict[str, ValueWithError]]
) -> Similarity:
    """From the layers of the networks by size, group and seed."""
    last = list(layers.values())[-1]
    names = list(last)
    pairs = {
        (a, b): layer_matrix(last[a][0], last[b][0], n_permutation=N_PERMUTATION)
        for k, a in enumerate(names)
        for b in names[k + 1 :]
    }
    floor = seed_baseline(last["scratch"], n_permutation=N_PERMUTATION) if len(last["scratch"]) > 1 else None
    by_size = {size: _last_layers(groups) for size, groups in layers.items()}
    return Similarity(len(next(iter(last["scratch"][0].values()))), floor, pairs, by_size, by_epoch)


def layers_of_groups(answer: CellResult, table: EventTable, index: Index, *, n_scratch: int) -> dict[str, list[Layers]]:
    """Returns the layers for the events `index (n,)`: of a seed of each group, and of `n_scratch` seeds of scratch."""
    return {
        name: [layer_representations(run, table, index) for run in runs[: n_scratch if name == "scratch" else 1]]
        for name, runs in answer.members.items()
    }


def along_training(
    answer: CellResult, table: EventTable, index: Index, *, scratch: Layers
) -> dict[int, dict[str, ValueWithError]]:
    """Returns CKA of the last layer after each kept epoch with that of the trained network from scratch.

    The result is by epoch, then by group.

    Args:
        answer: the trainings of a cell of the study.
        table: the open events.
        index: rows of the table, `(n,)`.
        scratch: the layers of the first seed of scratch for the same rows.
    """
    members, reference = answer.members, _last_layer(scratch)
    shown: dict[str, Run] = {FLOOR: members["scratch"][1]} if len(members["scratch"]) > 1 else {}
    shown |= {name: runs[0] for name, runs in members.items()}
    found: dict[int, dict[str, ValueWithError]] = {}
    for name, run in shown.items():
        for epoch in run.kept_epochs:
            after = layers_of(run.objective_after(epoch), table, index, title=f"{run.name} after epoch {epoch}")
            found.setdefault(epoch, {})[name] = _cka(reference, _last_layer(after))
    return dict(sorted(found.items()))


def _last_layers(groups: Mapping[str, Sequence[Layers]]) -> dict[str, ValueWithError]:
    scratch = groups["scratch"]
    floor = {FLOOR: scratch[1]} if len(scratch) > 1 else {}  # first, so that pictures give it the colour of scratch
    others = floor | {name: one[0] for name, one in groups.items() if name != "scratch"}
    return {name: _cka(_last_layer(scratch[0]), _last_layer(one)) for name, one in others.items()}


def _last_layer(layers: Layers) -> NDArray[np.float32]:
    return list(layers.values())[-1]


def _cka(one: NDArray[np.float32], other: NDArray[np.float32]) -> ValueWithError:
    matrix = layer_matrix({"last": one}, {"last": other}, n_permutation=2)
    return matrix.value[0][0], matrix.error[0][0]
