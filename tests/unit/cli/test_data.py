"""Commands about data files, on the files of the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from root_gnn.config.loader import load
from root_gnn.data.spec.spec import Spec
from root_gnn.simulation.process import all_processes

Leave = Callable[..., int]


def test_processes_are_listed(leave: Leave, capsys: pytest.CaptureFixture[str]) -> None:
    assert leave("simulate", "--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [process.name for process in all_processes()]


def test_a_parameter_without_value_is_refused(leave: Leave, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert leave("simulate", "--process", "WH", "--out", tmp_path, "--param", "mpi") == 2
    assert "expected KEY=VALUE" in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_a_draft_is_a_spec_and_never_replaces_a_file(
    leave: Leave, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = tmp_path / "draft.yaml"
    assert leave("inspect", data_dir / "WH.root", "--draft-spec", draft) == 0
    assert "Events" in capsys.readouterr().out
    assert "jet" in load(Spec, draft).nodes
    before = draft.read_text()
    assert leave("inspect", data_dir / "WH.root", "--draft-spec", draft) == 2
    assert "a draft never replaces one" in capsys.readouterr().err and draft.read_text() == before


def test_prepare_writes_its_report_and_prints_nothing_when_quiet(
    leave: Leave, ntuples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leave("prepare", "WHvsZH", "--data-dir", ntuples, "--slurm", "partition") == 2
    assert "expected KEY=VALUE, as in --slurm" in capsys.readouterr().err
    assert leave("prepare", "WHvsZH", "--data-dir", ntuples, "--quiet") == 0
    assert capsys.readouterr().out == ""
