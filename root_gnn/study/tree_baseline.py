"""Gradient-boosted trees on features of events, as a baseline of the networks of a study.

The trees are fitted to the same training events, chosen on the same validation events and tested on the same test
events as the networks. They are written into folders of their own next to the run folders, whole or not at all, and
are not fitted again where they are there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from root_gnn._version import __version__
from root_gnn.analysis.comparison import Comparison, difference_of, group_of, training_data
from root_gnn.analysis.embed import of_each_event
from root_gnn.analysis.event_features import check_events, event_features
from root_gnn.analysis.logistic import ProbeSample
from root_gnn.analysis.predictions import SCORE, check_same_events, predictions_in, read_predictions
from root_gnn.analysis.trees import LEAVES, MOST_TREES, Trees, fit_trees
from root_gnn.atomic import atomic_folder, write_json
from root_gnn.config.shipped import find
from root_gnn.console import log
from root_gnn.data.events.splits import split_table, subset
from root_gnn.data.events.weights import training_weights
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError
from root_gnn.metrics.summary import summary
from root_gnn.runs.build import question
from root_gnn.runs.run import Run
from root_gnn.runs.task import finetuning_recipe
from root_gnn.study.plan import Cell, Study
from root_gnn.study.rows import of_test, schema

FLOOR = "trees"
FILE = "trees.json"
Members = Mapping[str, Sequence[Run]]


def check_baseline(study: Study) -> None:
    """Raises InputError for a task that trees have no features for, or that does not tell classes apart."""
    for groups in study.groups().values():
        one = groups["scratch"][0]
        recipe = finetuning_recipe(
            one.what, mode="scratch", model=None, train_events=one.train_events, overrides=one.overrides
        )
        spec = load_spec(recipe.data.spec, search_dir=find(one.what, "task"))
        if recipe.objective.whole_events or len(question(recipe.data, spec).classes) < 2:
            raise InputError(
                f"floor: {study.floor} takes tasks that give each graph one of two classes or more, and {one.what} is "
                "none of them; leave floor out, or the task."
            )
        try:
            check_events(spec)
        except InputError as error:
            raise InputError(
                f"floor: {study.floor} in a study of the task {one.what}: {error}. Leave floor out, or the task."
            ) from error


def tree_baseline(cell: Cell, members: Members, *, runs: Path, data: Path) -> Comparison:
    """Trees for each seed that a run of the cell has, and every group compared with them.

    Trees that are in their folder already are not fitted again.

    `runs` is the folder of the runs, `data` where the data paths of the cell begin. Raises InputError where the events
    in `data` are not those that the runs were tested on.
    """
    examples = {run.recipe.seed: run for each in members.values() for run in each}
    names = {
        seed: f"{Path(cell.task).stem}{f'_{cell.version}' if cell.version else ''}_{FLOOR}_n{cell.train_events}_s{seed}"
        for seed in examples
    }
    for seed, run in examples.items():
        if not _is_done(runs / names[seed], run):
            _make(runs / names[seed], run, data)
    trees = {seed: predictions_in(runs / names[seed], run.spec.id_names) for seed, run in examples.items()}
    found = {
        FLOOR: trees,
        **{name: {run.recipe.seed: read_predictions(run) for run in each} for name, each in members.items()},
    }
    check_same_events([one for each in found.values() for one in each.values()])
    first = next(iter(examples.values()))
    one = trees[first.recipe.seed]
    return Comparison(
        f"{cell.title}, beside {FLOOR}",
        one.classes,
        one.n_event,
        FLOOR,
        groups=(group_of(FLOOR, list(names.values()), trees, n_train=first.plan["events"]["train"]),),
        differences=tuple(
            difference_of(name, FLOOR, found, same_data=training_data(each[0]) == training_data(first))
            for name, each in members.items()
        ),
    )


def baseline_rows(cell: Cell, floor: Comparison, runs: Path) -> Iterator[dict[str, Any]]:
    """A row of `study.parquet` for the trees of each seed."""
    (group,) = floor.groups
    for name, seed in zip(group.runs, group.seeds, strict=True):
        content = json.loads((runs / name / FILE).read_text(encoding="utf-8"))
        known = {
            "run": name,
            "task": Path(cell.task).stem,
            "version": cell.version,
            "group": FLOOR,
            "mode": FLOOR,
            "failure": "",
            "seed": seed,
            "train_events": cell.train_events,
            "n_train": group.n_train,
            "seconds": content["seconds"],
            **of_test(content["test"]),
        }
        yield {column: known.get(column) for column in schema().names}


def _asked(run: Run) -> dict[str, Any]:
    """What decides how the trees come out."""
    data = run.recipe.data.model_dump(
        mode="json", exclude={"augmentations", "window", "n_worker", "lumi", "cross_sections"}
    )
    return {
        "data": data,
        "spec": run.spec.digest(),
        "seed": run.recipe.seed,
        "leaves": list(LEAVES),
        "most_trees": MOST_TREES,
    }


def _is_done(folder: Path, run: Run) -> bool:
    path = folder / FILE
    return path.is_file() and json.loads(path.read_text(encoding="utf-8"))["asked"] == _asked(run)


def _make(folder: Path, run: Run, data: Path) -> None:
    """Fits trees and writes `predictions/test.parquet`, with the columns of the run's, and `trees.json`."""
    start = time.monotonic()
    trees, probabilities = _fitted(run, data)
    tested = pq.read_table(run.folder / "predictions" / "test.parquet")
    for k, name in enumerate(read_predictions(run).classes):
        place = tested.column_names.index(SCORE + name)
        tested = tested.set_column(place, SCORE + name, pa.array(probabilities[:, k]))
    of = summary(probabilities, tested["label"].to_numpy(), tested["weight"].to_numpy(), n_class=probabilities.shape[1])
    with atomic_folder(folder) as temporary:
        (temporary / "predictions").mkdir()
        pq.write_table(tested, temporary / "predictions" / "test.parquet", compression="zstd")
        write_json(
            temporary / FILE,
            {
                "asked": _asked(run),
                "n_tree": trees.n_tree,
                "n_leaf": trees.model.max_leaf_nodes,
                "test": of,
                "seconds": time.monotonic() - start,
                "root_gnn": __version__,
            },
        )
    log.info("%s: %d trees of %d leaves", folder, trees.n_tree, trees.model.max_leaf_nodes)


def _fitted(run: Run, data: Path) -> tuple[Trees, NDArray[np.float64]]:
    """Trees on the training events of a run, and what they say of its test events, `(n_test, n_class)`."""
    table = run.table(data)
    splits, seed = split_table(table, run.recipe.data.split), run.recipe.seed
    n_train = run.recipe.data.train_events
    train = splits.train if n_train is None else subset(table, splits.train, n_train, seed)
    _check_tested(run, table.ids[splits.test], data)
    weights = training_weights(table, train, run.recipe.data.weights).astype(np.float64)

    def sample(index: NDArray[np.int64], weight: NDArray[np.float64], title: str) -> ProbeSample:
        return ProbeSample(features(index, title), table.label[index].astype(np.int64), weight)

    def features(index: NDArray[np.int64], title: str) -> NDArray[np.float64]:
        return of_each_event(
            lambda batch: torch.from_numpy(event_features(batch, table.features)),
            table,
            index,
            title=f"features of {title} events",
        )

    signed = np.copysign(weights[splits.validation], table.weight[splits.validation])
    trees = fit_trees(
        sample(train, weights[train], "training"), sample(splits.validation, signed, "validation"), seed=seed
    )
    return trees, trees.probabilities(features(splits.test, "test"))


def _check_tested(run: Run, ids: NDArray[np.int64], data: Path) -> None:
    if not np.array_equal(read_predictions(run).ids, ids):
        raise InputError(
            f"{run.folder} was tested on other events than the files in {data} now have; run the study in a new "
            "folder, or with the files it was begun with."
        )
