"""The figures of a study beyond its comparisons, computed once for `study.json` and the page: speed, data efficiency, calibration, CKA,
class separation, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.analysis.embed import Method, reduced
from root_gnn.analysis.predictions import read_predictions
from root_gnn.analysis.similarity import drawn, representations
from root_gnn.analysis.study.importance import Worth, worth
from root_gnn.analysis.study.plan import Cell
from root_gnn.analysis.study.results import Answer, Results
from root_gnn.analysis.study.speed import Speed, operations, pays, speeds
from root_gnn.data.splits import split_table
from root_gnn.data.table import EventTable
from root_gnn.metrics.calibration import Calibration, calibration, confidence_calibration
from root_gnn.metrics.cost import BreakEven
from root_gnn.metrics.data_efficiency import DataEfficiency, data_efficiency
from root_gnn.metrics.power_law import PowerLaw, power_law
from root_gnn.run import Run
from root_gnn.similarity.cka import LayerMatrix, layer_matrix
from root_gnn.similarity.floor import SeedFloor, seed_floor
from root_gnn.similarity.separation import Separation, fisher, silhouette

Floats = NDArray[np.float64]
Layers = dict[str, NDArray[np.float32]]
Cells = Mapping[Cell, Answer]
N_CKA_EVENT, N_EMBEDDING_EVENT, N_IMPORTANCE_EVENT, N_PERMUTATION = 2000, 1000, 500, 20
FEWEST_FOR_NEIGHBOURS = 200
DECODER = "decoder"


@dataclass(frozen=True)
class Similarity:
    """CKA of the first seeds of groups on the same test events.

    Attributes:
        n_event: how many.
        floor: between seeds of scratch at the largest size; None with one seed.
        pairs: at the largest size, by the names of two groups, layer by layer.
        by_size: by training size and group, of the last layer with that of scratch, and by size under `floor` between scratch's seeds.
    """

    n_event: int
    floor: SeedFloor | None
    pairs: dict[tuple[str, str], LayerMatrix]
    by_size: dict[int, dict[str, tuple[float | None, float | None]]]


@dataclass(frozen=True)
class Places:
    """Test events at the largest size as the first seed of each group places them: `label (n_event,)`, points by method and group."""

    label: NDArray[np.int64]
    points: dict[Method, dict[str, Floats]]
    fisher: dict[str, Separation | None]
    silhouette: dict[str, Separation | None]


@dataclass(frozen=True)
class Found:
    """The figures of one question (a task on a version of the data)."""

    cells: Cells
    speed: dict[int, dict[str, Speed]]
    pays: dict[int, dict[str, BreakEven | None]]
    efficiency: dict[str, tuple[DataEfficiency, ...] | None]
    calibration: dict[str, Calibration | None]
    similarity: Similarity
    places: Places
    worth: dict[str, Worth | None]

    @property
    def efficiency_size(self) -> int:
        """The smallest size."""
        return next(iter(self.cells)).train_events

    @property
    def last(self) -> tuple[Cell, Answer]:
        """Of the largest size."""
        return list(self.cells.items())[-1]

    def content(self) -> dict[str, Any]:
        """The figures for JSON."""
        figures = {name: getattr(self, name) for name in ("speed", "pays", "efficiency", "calibration", "similarity", "worth")}
        return {**figures, "fisher": self.places.fisher, "silhouette": self.places.silhouette}


@dataclass(frozen=True)
class Answers:
    """Everything: by question, and of the pretrainings."""

    found: dict[str, Found]
    operations: dict[str, float]
    scaling: dict[str, PowerLaw | None] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """All of it for JSON."""
        questions = {name: one.content() for name, one in self.found.items()}
        return {"questions": questions, "operations": self.operations, "scaling": self.scaling}


def answers(results: Results) -> Answers:
    """Computes them from finished runs; the test events of each question are encoded by the networks of each group."""
    found = {name: _found(cells, results) for name, cells in results.questions().items()}
    pretrained = results.study.pretrained
    spent = {name: operations(run, results.data_dir / pretrained[name].folder) for name, run in results.pretrained.items()}
    return Answers(found, spent, _scaling(results))


def source_of(group: str, results: Results) -> str | None:
    """The pretraining that a group starts from."""
    return next((name for name in results.pretrained if group.startswith(f"{name}, ")), None)


def _found(cells: Cells, results: Results) -> Found:
    speed = {cell.train_events: speeds(answer.members) for cell, answer in cells.items()}
    paying = {
        size: {group: pays(results.pretrained[source], each["scratch"], one) for group, one in each.items()
               if (source := source_of(group, results)) is not None}
        for size, each in speed.items()
    }  # fmt: skip
    last = list(cells.values())[-1]
    layers = _layers(cells, results)
    return Found(cells, speed, paying, _efficiency(cells), {name: _calibration(runs[0]) for name, runs in last.members.items()},
                 _similarity(layers), _places(layers, cells, results), _worth(cells, results))  # fmt: skip


def _test_events(cell: Cell, answer: Answer, results: Results, n_event: int) -> tuple[EventTable, NDArray[np.int64]]:
    """The table of a cell's data, and at most `n_event` rows of its test split."""
    scratch = answer.members["scratch"][0]
    table = scratch.table(results.data_of(cell))
    return table, drawn(split_table(table, scratch.recipe.data.split).test, n_event)


def _worth(cells: Cells, results: Results) -> dict[str, Worth | None]:
    """Of the first seed of each group at the largest size."""
    cell, answer = list(cells.items())[-1]
    table, index = _test_events(cell, answer, results, N_IMPORTANCE_EVENT)
    return {name: worth(runs[0], table, index) for name, runs in answer.members.items()}


def _efficiency(cells: Cells) -> dict[str, tuple[DataEfficiency, ...] | None]:
    """The data-efficiency factor of each group that was trained at all sizes with all seeds of scratch; none with one size only."""
    names = [name for name in list(cells.values())[-1].members if name != "scratch"]
    if len(cells) < 2 or len(next(iter(cells.values())).comparison.classes) > 2:
        return {}
    read = {name: [_scores(answer.members.get(name, [])) for answer in cells.values()] for name in ("scratch", *names)}
    one = read_predictions(next(iter(cells.values())).members["scratch"][0])
    sizes = [cell.train_events for cell in cells]
    complete = [name for name in names if all(a.shape == b.shape for a, b in zip(read[name], read["scratch"], strict=True))]
    return {name: data_efficiency(sizes, read[name], read["scratch"], one.label, one.weight) for name in complete}


def _scores(runs: Sequence[Run]) -> Floats:
    return np.stack([read_predictions(run).scores for run in runs]) if runs else np.zeros((0, 0))


def _calibration(run: Run) -> Calibration | None:
    found = read_predictions(run)
    of = calibration if len(found.classes) == 2 else confidence_calibration
    return of(found.scores, found.label, found.weight)


def _layers(cells: Cells, results: Results) -> dict[int, dict[str, list[Layers]]]:
    """By size and group the layers of the first seed, and of all seeds of scratch at the largest size (two at the others)."""
    found: dict[int, dict[str, list[Layers]]] = {}
    for cell, answer in cells.items():
        table, index = _test_events(cell, answer, results, N_CKA_EVENT)
        for name, runs in answer.members.items():
            n_seed = 1 if name != "scratch" else len(runs) if cell == list(cells)[-1] else 2
            found.setdefault(cell.train_events, {})[name] = [representations(run, table, index) for run in runs[:n_seed]]
    return found


def _similarity(layers: Mapping[int, Mapping[str, Sequence[Layers]]]) -> Similarity:
    last = list(layers.values())[-1]
    names = list(last)
    pairs = {
        (a, b): layer_matrix(last[a][0], last[b][0], n_permutation=N_PERMUTATION) for k, a in enumerate(names) for b in names[k + 1 :]
    }
    floor = seed_floor(last["scratch"], n_permutation=N_PERMUTATION) if len(last["scratch"]) > 1 else None
    by_size = {size: _last_layers(groups) for size, groups in layers.items()}
    return Similarity(len(next(iter(last["scratch"][0].values()))), floor, pairs, by_size)


def _last_layers(groups: Mapping[str, Sequence[Layers]]) -> dict[str, tuple[float | None, float | None]]:
    scratch = groups["scratch"]
    floor = {"floor": scratch[1]} if len(scratch) > 1 else {}  # first, so that pictures give it the colour of scratch
    others = floor | {name: one[0] for name, one in groups.items() if name != "scratch"}
    found = {}
    for name, one in others.items():
        matrix = layer_matrix({"last": list(scratch[0].values())[-1]}, {"last": list(one.values())[-1]}, n_permutation=2)
        found[name] = (matrix.value[0][0], matrix.error[0][0])
    return found


def _places(layers: Mapping[int, Mapping[str, Sequence[Layers]]], cells: Cells, results: Results) -> Places:
    """What heads read, two components of it, and how far the classes are apart in it."""
    last, (cell, answer) = list(layers.values())[-1], list(cells.items())[-1]
    table, index = _test_events(cell, answer, results, N_CKA_EVENT)
    label = table.label[index].astype(np.int64)
    z = {name: np.asarray(_representation(one[0]), dtype=np.float64) for name, one in last.items()}
    step = max(1, -(-len(index) // N_EMBEDDING_EVENT))
    points = {method: {name: reduced(one[::step], method)[0] for name, one in z.items()} for method in _methods(len(index))}
    return Places(label[::step], points, {name: fisher(one, label) for name, one in z.items()},
                  {name: silhouette(one, label) for name, one in z.items()})  # fmt: skip


def _representation(layers: Layers) -> NDArray[np.float32]:
    return next(layers[name] for name in reversed(layers) if name != DECODER)


def _methods(n_event: int) -> tuple[Method, ...]:
    if n_event < FEWEST_FOR_NEIGHBOURS:
        return ("pca",)
    try:
        import umap  # noqa: F401
    except ImportError:
        return ("tsne",)
    return ("tsne", "umap")


def _scaling(results: Results) -> dict[str, PowerLaw | None]:
    """By question and mode, one minus AUC at the smallest training size against the size of pretraining, where there are three sizes."""
    sizes = {name: run.plan["events"]["train"] for name, run in results.pretrained.items()}
    recipes = {results.study.pretrained[name].recipe for name in sizes}
    if len(set(sizes.values())) < 3 or len(recipes) > 1:
        return {}
    found: dict[str, PowerLaw | None] = {}
    for question, cells in results.questions().items():
        groups = {group.name: group.auc for group in next(iter(cells.values())).comparison.groups}
        for mode in results.study.modes:
            known = [(sizes[name], one) for name in sizes if (one := groups.get(f"{name}, {mode}")) is not None]
            if len(known) > 2:
                values = [1.0 - one.mean for _, one in known]
                errors = [max((one.high - one.low) / 2.0, 1e-9) for _, one in known]
                found[f"{question}, {mode}"] = power_law([size for size, _ in known], values, errors)
    return found
