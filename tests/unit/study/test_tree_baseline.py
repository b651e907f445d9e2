"""The floor of a study, beside runs that were never trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from root_gnn.analysis import trees
from root_gnn.analysis.comparison import Comparison
from root_gnn.analysis.event_features import event_features
from root_gnn.analysis.logistic import ProbeSample
from root_gnn.analysis.predictions import read_predictions
from root_gnn.data.events.splits import split_table, subset
from root_gnn.errors import InputError
from root_gnn.metrics.bootstrap import paired_difference
from root_gnn.runs.run import Run
from root_gnn.study import tree_baseline as floors
from root_gnn.study.answers.sizes import against_size
from root_gnn.study.plan import Cell, Pretraining, Study
from root_gnn.study.results import CellResult, Results
from root_gnn.study.tree_baseline import baseline_rows, check_baseline, tree_baseline

CELL = Cell("WHvsZH", "", 100)


@pytest.fixture(scope="module")
def members(seeds: list[Run], deeper: list[Run]) -> dict[str, list[Run]]:
    return {"scratch": seeds, "deep, finetuned": deeper[:2]}


@pytest.fixture(scope="module")
def few() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trees, "MOST_TREES", 20)
        yield patch


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def floor(few: pytest.MonkeyPatch, members: dict[str, list[Run]], folder: Path, ntuples: Path) -> Comparison:
    return tree_baseline(CELL, members, runs=folder / "runs", data=ntuples)


def test_it_sees_the_events_that_the_run_of_the_seed_saw(floor: Comparison, seeds: list[Run], ntuples: Path) -> None:
    (group,) = floor.groups
    assert group.auc is not None and (group.name, group.n_train, group.seeds) == ("trees", 100, (1, 2, 3))
    table = seeds[0].table(ntuples)
    splits, label = split_table(table, seeds[0].recipe.data.split), table.label.astype(np.int64)
    features = event_features(table.gather(np.arange(len(table))), table.features)
    for seed, auc in zip(group.seeds, group.auc.per_seed, strict=True):
        train = subset(table, splits.train, 100, seed)
        sample, held = (
            ProbeSample(features[rows], label[rows], np.ones(len(rows))) for rows in (train, splits.validation)
        )
        expected = trees.fit_trees(sample, held, seed=seed).probabilities(features[splits.test])[:, 1]
        assert auc == pytest.approx(
            roc_auc_score(label[splits.test], expected, sample_weight=table.weight[splits.test]), abs=1e-9
        )


def test_differences_are_paired_by_seed_and_event(
    floor: Comparison, members: dict[str, list[Run]], folder: Path
) -> None:
    by_seed = [pq.read_table(folder / "runs" / name / "predictions" / "test.parquet") for name in floor.groups[0].runs]
    expected = {}
    for name, runs in members.items():
        found = [read_predictions(run) for run in runs]
        scores = np.stack([one["score_WH"].to_numpy() for one in by_seed[: len(runs)]])
        expected[name] = paired_difference(
            np.stack([one.scores for one in found]), scores, found[0].label, found[0].weight
        )
    assert {one.group: one.auc for one in floor.differences} == expected
    assert [(one.reference, one.seeds) for one in floor.differences] == [("trees", (1, 2, 3)), ("trees", (1, 2))]
    assert floor.differences[1].verdict == "too few seeds"


def test_what_is_done_is_not_fitted_again(
    floor: Comparison,
    members: dict[str, list[Run]],
    folder: Path,
    ntuples: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted = []
    monkeypatch.setattr(
        floors, "fit_trees", lambda *samples, seed: fitted.append(seed) or trees.fit_trees(*samples, seed=seed)
    )
    two = {"scratch": members["scratch"][:2]}
    again = tree_baseline(CELL, two, runs=folder / "runs", data=ntuples)
    assert again.groups[0].auc is not None and floor.groups[0].auc is not None
    assert again.groups[0].auc.per_seed == floor.groups[0].auc.per_seed[:2] and fitted == []
    (folder / "runs" / floor.groups[0].runs[1] / "trees.json").unlink()
    assert tree_baseline(CELL, two, runs=folder / "runs", data=ntuples) == again and fitted == [2]
    with monkeypatch.context() as patch:
        patch.setattr(floors, "LEAVES", (3,))
        assert not floors._is_done(folder / "runs" / floor.groups[0].runs[0], two["scratch"][0]), (
            "other trees are asked for"
        )


def test_results_tell_the_floor(floor: Comparison, members: dict[str, list[Run]], folder: Path, ntuples: Path) -> None:
    plan = Study(
        name="made", tasks=("WHvsZH",), pretrained={"deep": Pretraining(recipe="r")}, train_events=(100,), floor="trees"
    )
    answer = CellResult(members, Comparison.of(members, title=CELL.title), floor)
    results = Results(plan, {CELL: answer}, {}, {}, folder, ntuples)
    rows = [row for row in results.rows() if row["group"] == "trees"]
    assert floor.groups[0].auc is not None and results.floors == (floor,)
    assert [row["auc"] for row in rows] == pytest.approx(list(floor.groups[0].auc.per_seed))
    assert rows == list(baseline_rows(CELL, floor, folder / "runs")) and [row["run"] for row in rows] == list(
        floor.groups[0].runs
    )
    assert all(row["auc_error"] > 0 and row["n_test"] == floor.n_test and row["rejection_50"] > 0 for row in rows)
    assert "test AUC less that of trees" in str(results)


def test_the_floor_is_a_line_in_the_picture(
    floor: Comparison,
    members: dict[str, list[Run]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: dict[str, object] = {}
    monkeypatch.setattr("root_gnn.plots.training_size", lambda curves, path, **_: drawn.update(curves))
    against_size({100: Comparison.of(members)}, tmp_path / "a.svg", floors={100: floor})
    auc = floor.groups[0].auc
    assert auc is not None and drawn["trees"] == {100: (auc.mean, auc.low, auc.high)}
    assert list(drawn) == ["scratch", "deep, finetuned", "trees"]


def test_other_test_events_are_told(
    members: dict[str, list[Run]], tmp_path: Path, ntuples: Path, few: pytest.MonkeyPatch
) -> None:
    (run,) = members["scratch"][:1]
    (tmp_path / "data").mkdir()
    for name, source in (("WH.root", "ttH.root"), ("ZH.root", "ZH.root")):
        (tmp_path / "data" / name).symlink_to(ntuples / source)
    with pytest.raises(InputError, match="was tested on other events"):
        tree_baseline(CELL, {"scratch": [run]}, runs=tmp_path / "runs", data=tmp_path / "data")
    assert not list((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize(("task", "why"), [("TopvsQCD", "one for each jet"), ("HH4b", "none of them")])
def test_jets_have_no_floor(task: str, why: str) -> None:
    plan = {"name": "s", "pretrained": {"a": Pretraining(recipe="r")}, "train_events": (100,), "floor": "trees"}
    check_baseline(Study(tasks=("WHvsZH",), **plan))
    with pytest.raises(InputError, match=f"floor: trees.*{task}.*{why}|{task} is {why}"):
        check_baseline(Study(tasks=("WHvsZH", task), **plan))
