"""Commands that compare networks, on runs with untrained weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from root_gnn.runs.run import Run

Leave = Callable[..., int]


def test_cka_writes_its_matrix_and_picture(leave: Leave, seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    runs = [run.folder for run in seeds[:2]]
    assert leave("cka", *runs, "--events", 50, "--out", tmp_path, "--data-dir", ntuples) == 0
    content = json.loads((tmp_path / "cka.json").read_text())
    assert content["n_events"] <= 50 and len(content["matrix"]) == len(content["layers"])
    assert (tmp_path / "cka.png").is_file()
    assert leave("cka", runs[0], "--out", tmp_path, "--data-dir", ntuples) == 2


def test_embed_writes_into_the_run(leave: Leave, one_run: Run, ntuples: Path) -> None:
    assert leave("embed", one_run.folder, "--data-dir", ntuples) == 0
    assert {path.name for path in (one_run.folder / "embedding").iterdir()} == {
        f"test_pca.{ending}" for ending in ("json", "parquet", "png")
    }


def test_probe_prints_a_row_for_each_representation(
    leave: Leave, one_run: Run, ntuples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("probe", one_run.folder, "--task", "WHvsZH", "--seeds", 1, 2, "--inputs", "--out", tmp_path)
    assert leave(*words, "--data-dir", ntuples) == 0
    assert "one_run" in capsys.readouterr().out and (tmp_path / "probe.md").is_file()


@pytest.mark.parametrize("words", [("bench", "no_such_case"), ("study", "no_such_study")])
def test_unknown_names_are_refused(leave: Leave, words: tuple[str, ...]) -> None:
    assert leave(*words) == 2
