"""Which folders a run may be written to, and the command that resumes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from root_gnn.errors import InputError
from root_gnn.runs.folder import WRITTEN_DOWN, check_folder, is_finished, make_ready, own_modules, resume_command
from root_gnn.runs.run import Run
from root_gnn.runs.setup import TrainingSetup
from root_gnn.training.plan import sha256


def check(folder: Path, run: Run, *, resume: bool = False, overwrite: bool = False, mode: str = "scratch") -> None:
    check_folder(folder, run.recipe, mode=mode, source=None, resume=resume, overwrite=overwrite)


def test_a_new_and_an_empty_folder_may_be_written(one_run: Run, tmp_path: Path) -> None:
    check(tmp_path / "new", one_run)
    (tmp_path / "empty").mkdir()
    check(tmp_path / "empty", one_run)


def test_a_run_is_neither_lost_nor_mixed(one_run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exists; go on with --resume"):
        check(one_run.folder, one_run)
    with pytest.raises(InputError, match="give one of the two"):
        check(one_run.folder, one_run, resume=True, overwrite=True)
    check(one_run.folder, one_run, resume=True)
    check(one_run.folder, one_run, overwrite=True)
    with pytest.raises(InputError, match="--mode is scratch there and frozen here"):
        check(one_run.folder, one_run, resume=True, mode="frozen")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    for how in ({"resume": True}, {"overwrite": True}):
        with pytest.raises(InputError, match="is no run folder"):
            check(tmp_path / "mine", one_run, **how)


def test_another_recipe_is_named_by_its_key(one_run: Run) -> None:
    recipe = one_run.recipe.model_copy(update={"seed": 5})
    with pytest.raises(InputError, match="seed is 1 there and 5 here"):
        check_folder(one_run.folder, recipe, mode="scratch", source=None, resume=True, overwrite=False)


def test_a_run_is_finished_when_training_has_written_its_figures(one_run: Run) -> None:
    path = one_run.folder / "metrics.json"
    metrics = json.loads(path.read_text())
    assert not is_finished(one_run.folder), "only evaluated"
    path.write_text(json.dumps(metrics | {"best_epoch": 1}))
    assert is_finished(one_run.folder)
    path.unlink()
    assert not is_finished(one_run.folder)


def test_modules_of_ones_own_are_found_at_any_depth() -> None:
    recipe = {"model": {"name": "my_lab.net"}, "data": [{"name": "rotate"}, {"a": {"name": "my_lab.view"}}]}
    assert own_modules(recipe) == {"my_lab.net", "my_lab.view"}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("train a.yaml --overwrite", "root-gnn train a.yaml --resume"),
        ("finetune --task WHvsZH --resume", "root-gnn finetune --task WHvsZH --resume"),
        ("study jets_ssl --jobs 2", "root-gnn study jets_ssl --jobs 2"),
    ],
)
def test_the_command_that_resumes_is_the_one_that_was_typed(typed: str, expected: str) -> None:
    for program in ("/usr/bin/root-gnn", "/lib/root_gnn/__main__.py"):
        assert resume_command([program, *typed.split()], Path("runs/a")) == expected
    assert "runs/a" in resume_command(["my_script.py", *typed.split()], Path("runs/a"))


def test_what_a_killed_start_left_may_be_resumed(one_run: Run, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    (begun / "spec.yaml").write_text("")
    (begun / ".plan.json.x1").write_text("")
    check(begun, one_run, resume=True)
    with pytest.raises(InputError, match="is no run folder"):
        check(begun, one_run, overwrite=True)


def test_a_backbone_of_other_weights_is_not_resumed(one_run: Run, seeds: list[Run]) -> None:
    path = one_run.folder / "plan.json"
    path.write_text(json.dumps(one_run.plan | {"mode": "frozen", "source_sha256": sha256(seeds[1].checkpoint)}))
    check_folder(one_run.folder, one_run.recipe, mode="frozen", source=seeds[1], resume=True, overwrite=False)
    with pytest.raises(InputError, match="its backbone came from other weights"):
        check_folder(one_run.folder, one_run.recipe, mode="frozen", source=seeds[2], resume=True, overwrite=False)


def test_overwriting_removes_the_files_of_a_run_and_no_others(one_run: Run, ntuples: Path) -> None:
    (one_run.folder / "notes.txt").write_text("mine")
    make_ready(one_run.folder, TrainingSetup(one_run.recipe, data_dir=ntuples), overwrite=True)
    assert {path.name for path in one_run.folder.iterdir()} == {*WRITTEN_DOWN, "notes.txt"}
