"""What is refused before training begins, and what a check leaves behind; trainings themselves: tests/integration."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn.errors import InputError
from root_gnn.graph.features import Features
from root_gnn.runs.run import Run
from root_gnn.runs.train import check, finetune, train
from root_gnn.testing import TinyEncoder

SMALL = ("data.classes={WH: WH.root, ZH: ZH.root}", "model.dim=8", "model.n_steps=1")


def checked(ntuples: Path, *overrides: str) -> str:
    return check("pretrain_multiclass", overrides=(*SMALL, *overrides), data_dir=ntuples)


def test_a_check_repeats_and_writes_no_run(ntuples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = checked(ntuples)
    assert text.startswith("pretrain_multiclass: ") and "backbone" in text
    assert checked(ntuples) == text != checked(ntuples, "seed=2")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_a_run_is_left_alone(one_run: Run, ntuples: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in one_run.folder.rglob("*")}
    with pytest.raises(InputError, match="exists; go on with --resume"):
        train(one_run.recipe, data_dir=ntuples, run_dir=one_run.folder)
    with pytest.raises(InputError, match="is the pretrained run itself"):
        finetune("WHvsZH", run=one_run, data_dir=ntuples, run_dir=one_run.folder, overwrite=True)
    assert {path: path.stat().st_mtime_ns for path in one_run.folder.rglob("*")} == before


def test_finetuning_needs_a_pretrained_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="--mode frozen needs a pretrained run: give --from RUN"):
        finetune("WHvsZH", mode="frozen")
    with pytest.raises(InputError, match="does not come from load_encoder"):
        finetune("WHvsZH", encoder=TinyEncoder(Features()))
