"""Commands about trained runs, on runs with untrained weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from root_gnn.runs.run import Run, load_run

Leave = Callable[..., int]


def test_runs_are_listed_and_compared(leave: Leave, seeds: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    assert leave("runs", "--dir", seeds[0].folder.parent, "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert {run.name for run in seeds} <= {entry["name"] for entry in listed}
    assert leave("runs", seeds[0].folder, seeds[1].folder) == 0
    assert "seed" in capsys.readouterr().out
    assert leave("runs", "--dir", seeds[0].folder.parent / "nowhere") == 2


def test_a_run_is_packed_and_unpacked(leave: Leave, one_run: Run, tmp_path: Path) -> None:
    packed, folder = tmp_path / "run.safetensors", tmp_path / "again"
    assert leave("pack", one_run.folder, "--out", packed) == 0
    assert leave("pack", packed, "--unpack", "--out", folder) == 0
    assert load_run(folder).weights_digest == one_run.weights_digest
    assert leave("pack", one_run.folder, "--out", packed) == 2


def test_evaluate_writes_the_metrics_of_a_split(leave: Leave, one_run: Run, ntuples: Path) -> None:
    before = one_run.metrics["splits"]
    assert leave("evaluate", one_run.folder, "--split", "train", "--data-dir", ntuples) == 0
    assert set(Run(one_run.folder).metrics["splits"]) == {*before, "train"}


def test_a_report_is_one_page(leave: Leave, seeds: list[Run], tmp_path: Path) -> None:
    assert leave("report", *(run.folder for run in seeds), "--out", tmp_path / "report.html") == 0
    assert all(run.name in (tmp_path / "report.html").read_text(encoding="utf-8") for run in seeds)


def test_a_file_of_no_known_program_is_not_converted(leave: Leave, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("a: 1\n")
    assert leave("convert", tmp_path / "other.yaml", "--out", tmp_path) == 2
