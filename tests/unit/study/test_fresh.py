"""The networks of a study on events that it never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot
from sklearn.metrics import roc_auc_score

from root_gnn.analysis.comparison import Comparison
from root_gnn.analysis.predictions import read_predictions
from root_gnn.errors import InputError
from root_gnn.runs.evaluate import evaluate
from root_gnn.study.fresh import fresh_comparisons
from root_gnn.study.plan import Cell, Study
from root_gnn.study.results import CellResult, Results


@pytest.mark.parametrize(("task", "classes"), [("WHvsZH", ("ZH", "WH")), ("TopvsQCD", ("QCD", "Tbqq"))])
def test_all_events_of_the_files_are_judged_with_the_classes_of_the_task(
    task: str,
    classes: tuple[str, str],
    make_run,
    ntuples: Path,
    tmp_path: Path,
) -> None:
    """The spec of events has no label; that of jets has ten, of which the task tells two apart, each by its file."""
    members = {
        "scratch": [make_run(f"fresh_{task}_{seed}", task=task, seed=seed, train_events=None) for seed in (1, 2)]
    }
    first = members["scratch"][0]
    plan = Study.model_validate(
        {
            "name": "s",
            "tasks": [task],
            "pretrained": {"deep": {"recipe": "pretrain_multiclass"}},
            "train_events": [100],
            "seeds": [1, 2],
        }
    )
    answer = CellResult(members, Comparison.of(members))
    (found,) = fresh_comparisons(Results(plan, {Cell(task, "", 100): answer}, {}, {}, tmp_path, ntuples), ntuples)
    n_event = {name: uproot.open(ntuples / f"{name}.root")[first.spec.source.tree].num_entries for name in classes}
    scores = read_predictions(first, "files")
    assert np.bincount(scores.label).tolist() == [n_event[name] for name in classes] and scores.classes == classes
    assert found.n_test == sum(n_event.values()) > answer.comparison.n_test and "fresh" in found.title
    assert found.groups[0].auc is not None
    assert found.groups[0].auc.per_seed[0] == pytest.approx(
        roc_auc_score(scores.label, scores.scores, sample_weight=scores.weight)
    )


def test_a_label_of_other_classes_is_not_taken_for_the_run_s_own(make_run, ntuples: Path) -> None:
    run = make_run("labels", task="TopvsQCD", train_events=None)
    with pytest.raises(InputError, match=r"labels QCD, Hbb.*say the class of each file as CLASS=FILE"):
        evaluate(run.folder, files=["QCD.root", "Tbqq.root"], data_dir=ntuples)
