"""Studies as a user runs them: interrupted and resumed, and the shipped ones small."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from root_gnn.study.readme import fill_readme

ANSWERED = (
    "test AUC against the number of training events",
    "background rejection at 30 %",
    "background rejection at 50 %",
    "test accuracy",
    "Test significance is not defined",
    "data-efficiency factor",
    "validation AUC along the training",
    "epochs to within 1 % of that",
    "seconds to 99.9 % of scratch&#x27;s best",
    "AUC after epoch 5",
    "operations",
    "break-even after trainings",
    "share the pretraining",
    "1 - AUC of the tasks at their smallest",
    "CKA layer by layer",
    "The floor: two networks from scratch",
    "against their number",
    "after an epoch",
    "t-SNE",
    "Fisher",
    "silhouette",
    "Pearson correlation",
    "comes from other events",
    "integrated gradients by node",
    "expected calibration error",
    "calibration curves",
    "scores of each true class",
    "background rejection against signal efficiency",
    "a confusion matrix would hold one point",
)
"""What the page of a study of tasks with two classes has to say: the list of the issue."""

STUDY = """
name: interrupted
tasks: [WHvsZH]
pretrained:
  multiclass:
    recipe: pretrain_multiclass
    set: ["data.classes={WH: WH.root, ZH: ZH.root}", train.max_epochs=6, train.batch_size=32]
train_events: [60]
seeds: [1, 2]
set: [train.max_epochs=8, train.batch_size=8, train.checkpoint_every=3]
"""


def begin(*arguments: str, folder: Path, data: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ROOT_GNN_DATA": str(data)}
    words = [sys.executable, "-m", "root_gnn", "study", *arguments]
    return subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def results(folder: Path) -> tuple[Any, dict[str, bytes]]:
    content = json.loads((folder / "study.json").read_text())
    predictions = {path.parts[-3]: path.read_bytes() for path in folder.glob("runs/*/predictions/test.parquet")}
    return content["comparisons"], predictions


@pytest.mark.slow
@pytest.mark.pythia
def test_the_study_of_events_goes_through_small_and_answers_everything(tmp_path: Path) -> None:
    from root_gnn.simulation.simulate import simulate

    data = tmp_path / "events"
    simulate(["ggF", "VBF", "WH", "ZH", "ttH", "ttbar", "singletop_t"], events=150, out=data, seed=1, jobs=2)
    process = begin("events", "--tiny", "--out", "out", folder=tmp_path, data=data)
    told, said = process.communicate()
    assert process.returncode == 0, said
    assert "WHvsZH, 40 training events" in told and "study.html" in told
    content = json.loads((tmp_path / "out" / "study.json").read_text())
    assert content["failures"] == {} and len(content["comparisons"]) == 4
    groups = ["scratch", "multiclass, finetuned", "multiclass, frozen", "jepa, finetuned", "jepa, frozen"]
    fewer = ["multiclass_21k, finetuned", "multiclass_7k, finetuned"]  # at the smallest size alone
    answers = content["answers"]
    for question in answers["questions"].values():
        assert all(
            list(question[name]) == groups for name in ("calibration", "worth", "fisher", "silhouette", "correlation")
        )
        assert list(question["efficiency"]) == groups[1:] and len(question["similarity"]["pairs"]) == 10
        for by_size in ("of_seeds", "speed", "spent"):
            assert {size: list(each) for size, each in question[by_size].items()} == {
                "40": groups + fewer,
                "80": groups,
            }
        assert list(question["similarity"]["by_size"]) == ["40", "80"] and "1" in question["similarity"]["by_epoch"]
        assert question["similarity"]["floor"]["n_pair"] == 1
    assert list(answers["scaling"]) == ["WHvsZH, finetuned", "ttHvsttbar, finetuned"]
    assert list(answers["pretrainings"]) == ["multiclass", "jepa", "multiclass_21k", "multiclass_7k"]
    page = (tmp_path / "out" / "study.html").read_text()
    assert "All 52 trainings ended well" in page and page.count("<img") > 40
    assert "multiclass, finetuned, with the fewest training events: " in page
    for answered in ANSWERED:
        assert answered in page
    marks = "<!-- study events_tiny: written by tools/study_table -->\n<!-- end of the study -->\n"
    (tmp_path / "README.md").write_text(marks)
    fill_readme(tmp_path / "README.md", tmp_path / "out" / "study.json")
    assert (tmp_path / "README.md").read_text().count("| multiclass_7k, finetuned | 40 |") == 2


def interrupted(process: subprocess.Popen[str], folder: Path, *, after: int, number: signal.Signals) -> bool:
    """Ends a study once its trainings have written so many bytes of history more; False where it was done before."""
    begun = written(folder)
    while process.poll() is None and written(folder) < begun + after:
        time.sleep(0.05)
    process.send_signal(number)
    said = process.communicate()[1]
    assert process.returncode in (0, -9 if number == signal.SIGKILL else 128 + number), said
    return process.returncode != 0


def written(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("runs/*/history.csv"))


@pytest.mark.slow
def test_a_study_interrupted_at_random_ends_with_the_same_result_and_runs_nothing_twice(
    tmp_path: Path, data_dir: Path
) -> None:
    (tmp_path / "s.yaml").write_text(STUDY)
    whole = begin("s.yaml", "--out", "whole", folder=tmp_path, data=data_dir)
    said = whole.communicate()[1]
    assert whole.returncode == 0, said
    dice, n_interrupted = random.Random(7), 0
    finished: dict[Any, Any] = {}
    while True:
        process = begin("s.yaml", "--out", "parts", folder=tmp_path, data=data_dir)
        number = dice.choice([signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
        if not interrupted(process, tmp_path / "parts", after=dice.randrange(1, 4000), number=number):
            break
        n_interrupted += 1
        for path in (tmp_path / "parts").glob("runs/*/metrics.json"):
            finished.setdefault(path, path.stat().st_mtime_ns)
    assert n_interrupted > 0 and results(tmp_path / "parts") == results(tmp_path / "whole")
    assert all(path.stat().st_mtime_ns == written for path, written in finished.items())
    for path in (tmp_path / "parts").glob("runs/*/history.csv"):
        with path.open() as file:
            rows = Counter((row["step"], row["tag"]) for row in csv.DictReader(file))
        assert max(rows.values()) == 1, "a step that was trained twice has left one row"
