"""The page, the JSON and the table of a study, from runs that were never trained."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from root_gnn.analysis import trees
from root_gnn.analysis.comparison import Comparison
from root_gnn.analysis.learning import clock, learning_of
from root_gnn.runs.run import Run
from root_gnn.study import write_results
from root_gnn.study.answers import importance, representations
from root_gnn.study.page import _gist
from root_gnn.study.plan import Cell, Pretraining, Study
from root_gnn.study.published import Published
from root_gnn.study.results import CellResult, Results
from root_gnn.study.tree_baseline import tree_baseline

HISTORY = "epoch,step,tag,value\n" + "".join(
    f"{epoch},{epoch * 2 + 2},{tag},{value}\n"
    for epoch, auc in enumerate((0.5, 0.58, 0.6, 0.6, 0.59, 0.6))
    for tag, value in (("train/events_per_s", 50.0), ("val/auc", auc))
)


@pytest.fixture(scope="module")
def results(seeds: list[Run], deeper: list[Run], tmp_path_factory: pytest.TempPathFactory, ntuples: Path) -> Results:
    for run in (*seeds, *deeper):
        metrics = run.metrics | {
            "seconds": 12.0,
            "events_per_second": 50.0,
            "best_epoch": 3,
            "n_parameters": 99,
            "device": "cpu",
        }
        (run.folder / "metrics.json").write_text(json.dumps(metrics))
        (run.folder / "history.csv").write_text(HISTORY)
    published = Published(source="Somebody 1999", group="deep, finetuned", gain_smallest=(0.0, 0.1), similarity="other")
    plan = Study(
        name="made",
        tasks=("WHvsZH",),
        pretrained={"deep": Pretraining(recipe="r")},
        train_events=(100,),
        notes=("Mind <this>.",),
        published=published,
    )
    members = {"scratch": seeds, "deep, finetuned": deeper}
    cell, folder = Cell("WHvsZH", "", 100), tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trees, "MOST_TREES", 5)
        floor = tree_baseline(cell, members, runs=folder / "runs", data=ntuples)
    answer = CellResult(members, Comparison.of(members, title="WHvsZH"), floor)
    failures = {plan.trainings()[-1].name: "no <memory>"}
    return Results(plan, {cell: answer}, {"deep": deeper[0]}, failures, folder, ntuples)


@pytest.fixture(scope="module")
def folder(results: Results) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(representations, "_methods", lambda n_event: ("pca",))
        patch.setattr(importance, "N_IMPORTANCE_EVENT", 30)
        write_results(results, {})
    return results.folder


def test_the_page_says_the_numbers_and_what_it_can_not_say(folder: Path, results: Results) -> None:
    text = (folder / "study.html").read_text(encoding="utf-8")
    one = results.comparisons[0]
    scratch, difference = one.groups[0].auc, one.differences[0]
    assert (
        scratch is not None
        and f"test AUC {scratch.mean:.3f} [{scratch.low:.3f}, {scratch.high:.3f}] from scratch" in text
    )
    assert f", {difference.verdict}" in text and "Mind &lt;this&gt;." in text and "no &lt;memory&gt;" in text
    assert "Test significance is not defined" in text
    for said in ("One training size only", "A law of the size of pretraining", "no course of CKA with the epoch"):
        assert said in text
    assert "3 of 4 trainings" not in text and "6 of 7 trainings ended well" in text
    assert "Beside what was published" in text and "Somebody 1999; here the group deep, finetuned." in text
    points = json.loads((folder / "study.json").read_text())["answers"]["published"]
    assert [point["question"] for point in points] == ["WHvsZH", "WHvsZH"] and points[0]["here"].replace(
        "<", "&lt;"
    ) in text
    assert 'href="runs/WHvsZH_scratch_n100_s1/"' in text and "root-gnn finetune --task WHvsZH" in text


def test_of_several_tasks_the_page_says_first_where_there_is_a_gain(results: Results) -> None:
    (answer,) = results.answers.values()
    (difference,) = answer.comparison.differences
    assert difference.auc is not None
    gain = replace(difference, auc=difference.auc._replace(mean=0.02, low=0.01, n_seed=3, excludes_zero=True))
    better = replace(answer, comparison=replace(answer.comparison, differences=(gain,)))
    same = replace(
        answer,
        comparison=replace(answer.comparison, differences=(replace(gain, auc=gain.auc._replace(excludes_zero=False)),)),
    )
    questions: Any = {
        "one": SimpleNamespace(cells={1: better, 2: same}),
        "two": SimpleNamespace(cells={1: same, 2: same}),
        "three": SimpleNamespace(cells={1: better}),
    }
    above, same_as = "test AUC above that of scratch in", "not told apart from it in"
    assert list(_gist(questions)) == [
        f"deep, finetuned, with the fewest training events: {above} one +0.020, three +0.020; {same_as} two.",
        f"deep, finetuned, with the most training events: {above} three +0.020; {same_as} one, two.",
    ]


def test_the_page_and_json_hold_the_floor(folder: Path, results: Results) -> None:
    (floor,) = results.floors
    auc, less = floor.groups[0].auc, floor.differences[1].auc
    text, content = ((folder / f"study.{ending}").read_text(encoding="utf-8") for ending in ("html", "json"))
    assert (
        auc is not None
        and less is not None
        and f"test AUC {auc.mean:.3f} [{auc.low:.3f}, {auc.high:.3f}] of boosted trees" in text
    )
    assert "test AUC less that of trees" in text and f"{less.mean:+.3f} [{less.low:+.3f}, {less.high:+.3f}]" in text
    differences = json.loads(content)["floors"][0]["differences"]
    assert [one["auc"]["mean"] for one in differences] == [one.auc.mean for one in floor.differences if one.auc]


def test_every_picture_is_in_the_page_and_has_words(folder: Path) -> None:
    text = (folder / "study.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img src="data:image/svg\+xml;base64,[^"]{1000,}" alt="([^"]{20,})"', text)
    assert len(pictures) == text.count("<img") >= 11
    assert not re.search(
        r"https?://(?!www\.w3\.org)|<script src|<link|@import|url\(", re.sub(r'src="data:[^"]*"', "", text)
    )


def test_json_holds_the_answers_and_no_number_that_is_none(folder: Path, seeds: list[Run], deeper: list[Run]) -> None:
    content = json.loads((folder / "study.json").read_text())
    of = content["answers"]["questions"]["WHvsZH"]
    assert of["speed"]["100"]["deep, finetuned"]["immediate"]["mean"] == pytest.approx(0.59)
    accuracy = [[run.metrics["splits"]["test"]["accuracy"] for run in runs] for runs in (deeper, seeds)]
    found = of["of_seeds"]["100"]["deep, finetuned"]["accuracy"]
    for key, values in (("value", accuracy[0]), ("gain", np.subtract(*accuracy))):
        assert (found[key]["mean"], found[key]["spread"]) == (
            pytest.approx(np.mean(values)),
            pytest.approx(np.std(values, ddof=1)),
        )
    assert of["similarity"]["floor"]["n_pair"] == 3 and list(of["similarity"]["pairs"]) == [
        "scratch and deep, finetuned"
    ]
    assert of["pays"]["100"]["deep, finetuned"]["n"] is None, "both took the same time, so nothing is saved"
    assert "NaN" not in (folder / "study.json").read_text()


def test_the_table_has_a_row_for_each_training(folder: Path, results: Results) -> None:
    table = pq.read_table(folder / "study.parquet").to_pylist()
    floors = [f"WHvsZH_trees_n100_s{seed}" for seed in (1, 2, 3)]
    assert [row["run"] for row in table] == [*(one.name for one in results.study.trainings()), *floors]
    assert table[-4]["failure"] == "no <memory>" and table[-4]["auc"] is None and table[0]["mode"] == "pretraining"


def test_seconds_of_training_follow_from_the_rates(seeds: list[Run], results: Results) -> None:
    found = learning_of(seeds[0])
    n_train = seeds[0].plan["events"]["train"]
    assert found is not None and found.rows[:, 2].tolist() == [0.5, 0.58, 0.6, 0.6, 0.59, 0.6]
    np.testing.assert_allclose(found.seconds, n_train * np.arange(1, 7) / 50.0)
    batch = seeds[0].recipe.train.batch_size
    rates, ends = np.array([[0, 1, 10.0], [0, 3, 20.0]]), np.array([[0, 3, 0.5]])
    first = min(batch, n_train)
    np.testing.assert_allclose(
        clock(rates, ends, seeds[0])[:, 2], np.cumsum([first / 10.0, (min(3 * batch, n_train) - first) / 20.0])
    )
