"""Which runs are compared with each other, and with which reference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from root_gnn.analysis.grouping import by_task, by_training, compared
from root_gnn.runs.run import Run


def as_finetuned(run: Run, folder: Path) -> Run:
    """A copy of a run whose plan says that it was finetuned."""
    copy = Run(Path(shutil.copytree(run.folder, folder / run.name)))
    plan = json.loads((copy.folder / "plan.json").read_text())
    (copy.folder / "plan.json").write_text(json.dumps(plan | {"mode": "finetuned", "source": "pretrained"}))
    return copy


def test_runs_differ_by_their_seed_within_a_group(seeds: list[Run], tmp_path: Path) -> None:
    finetuned = [as_finetuned(run, tmp_path) for run in seeds]
    groups = by_training([*finetuned, *seeds])
    assert {name: len(runs) for name, runs in groups.items()} == {
        "finetuned from pretrained, 100 events": 3,
        "scratch, 100 events": 3,
    }


def test_training_from_scratch_is_the_reference(seeds: list[Run], tmp_path: Path) -> None:
    comparisons, problems = compared([*(as_finetuned(run, tmp_path) for run in seeds), *seeds])
    assert problems == []
    assert [comparison.reference for comparison in comparisons] == ["scratch, 100 events"]


def test_one_group_is_no_comparison_and_runs_without_predictions_are_left_out(seeds: list[Run], tmp_path: Path) -> None:
    assert compared(seeds) == ([], [])
    unfinished = Run(Path(shutil.copytree(seeds[0].folder, tmp_path / "unfinished")))
    shutil.rmtree(unfinished.folder / "predictions")
    assert by_task([unfinished]) == {}
    assert list(by_task([seeds[0], unfinished]).values()) == [[seeds[0]]]


def test_a_group_with_a_seed_twice_is_a_problem_in_words(seeds: list[Run], tmp_path: Path) -> None:
    comparisons, problems = compared([as_finetuned(seeds[0], tmp_path), seeds[1], seeds[1]])
    assert comparisons == [] and "has a seed twice" in problems[0]
