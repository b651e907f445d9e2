"""A study from its file to its results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

from root_gnn.analysis.predictions import read_predictions
from root_gnn.errors import InputError
from root_gnn.study import study

SMALL = "data.classes={WH: WH.root, ZH: ZH.root}"
TINY_STUDY = f"""
name: tiny
tasks: [WHvsZH]
pretrained:
  multiclass: {{recipe: pretrain_multiclass, set: ["{SMALL}", train.max_steps=2]}}
  broken: {{recipe: pretrain_multiclass, set: ["data.classes={{WH: WH.root, ZH: nothing.root}}"]}}
train_events: [60]
seeds: [1]
set: [train.max_steps=2]
notes: [Tiny.]
"""


@pytest.mark.slow
def test_a_failure_does_not_stop_the_others_and_what_is_done_is_found_again(tmp_path: Path, data_dir: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY_STUDY)
    results = study(path, data_dir=data_dir, out=tmp_path / "out", jobs=2)
    assert set(results.failures) == {"broken", "WHvsZH_finetuned_broken_n60_s1"}
    assert (
        "nothing.root" in results.failures["broken"]
        and "since broken failed" in results.failures["WHvsZH_finetuned_broken_n60_s1"]
    )
    assert [group.name for group in results.comparisons[0].groups] == ["scratch", "multiclass, finetuned"]
    said = (tmp_path / "out" / "study.md").read_text()
    assert "WHvsZH, 60 training events" in said and "Tiny." in said and "failed: broken" in said
    content = json.loads((tmp_path / "out" / "study.json").read_text())
    assert len(content["commands"]) == 5 and content["comparisons"][0]["groups"][0]["n_train"] == 60
    assert (
        study(path, data_dir=data_dir, out=tmp_path / "out", jobs=1, fresh=data_dir).comparisons == results.comparisons
    )
    fresh = json.loads((tmp_path / "out" / "study_fresh.json").read_text())[0]
    scores = [read_predictions(run, "files") for run in next(iter(results.answers.values())).members["scratch"]]
    assert fresh["n_test"] == len(scores[0].label) > content["comparisons"][0]["n_test"]
    auc = roc_auc_score(scores[0].label, scores[0].scores, sample_weight=scores[0].weight)
    assert fresh["groups"][0]["auc"]["mean"] == pytest.approx(auc)
    assert "on fresh events" in (tmp_path / "out" / "study_fresh.md").read_text()


def test_two_clusters_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY_STUDY)
    with pytest.raises(InputError, match="one of the two"):
        study(path, data_dir=tmp_path, out=tmp_path / "out", scheduler="tcp://127.0.0.1:9", slurm={})
