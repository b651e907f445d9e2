"""Commands that train: what a check prints, and what is refused before data are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Leave = Callable[..., int]


def test_a_check_prints_the_plan_and_leaves_no_run(
    leave: Leave, ntuples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    classes = "data.classes={WH: WH.root, ZH: ZH.root}"
    assert leave("check", "pretrain_multiclass", "--set", classes, "--set", "model.dim=8", "--data-dir", ntuples) == 0
    out = capsys.readouterr().out
    assert "first loss" in out and "backbone" in out and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("train", "pretrain_multiclass", "--set", "train.epochs=3"), "train.epochs"),
        (("finetune", "--task", "WHvsTH", "--mode", "scratch"), "WHvsZH"),
        (("check", "pretrain_multiclas"), "pretrain_multiclass"),
    ],
)
def test_wrong_names_and_keys_are_refused(
    leave: Leave, words: tuple[str, ...], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leave(*words) == 2
    assert part in capsys.readouterr().err
