"""Sherpa is found where it can be, runs with what belongs to it, and its failures are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from root_gnn.errors import InputError
from root_gnn.simulation.sherpa.cards import TT_W
from root_gnn.simulation.sherpa.program import (
    RunCardSection,
    cross_sections,
    find_program,
    run_sherpa,
    sherpa_environment,
)

SAID = """\
[34m25.3769 pb[0m +- ( [31m1.71368 pb = 6.75292 %[0m ) 5000 ( 5029 -> 99.4 % )
2_2__j__j__W-__t : 26.3945 pb +- ( 0.0428348 pb = 0.162286 % )  exp. eff: 7.55994 %
2_2__j__j__W+__tb : 2.65076e+01 pb +- ( 0.0534516 pb = 0.201646 % )  exp. eff: 8.89101 %
  XS = 66.7828 pb +- ( 66.7828 pb = 100 % )    Event 2 ( 0s elapsed )
"""


def test_cross_sections_are_those_of_the_integrations() -> None:
    assert cross_sections(SAID) == [RunCardSection(26.3945, 0.0428348), RunCardSection(26.5076, 0.0534516)]


def test_the_program_on_the_path(sherpa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_program() == sherpa.resolve()
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_program() != sherpa.resolve()


def test_the_environment_of_a_relocated_program(sherpa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sherpa_environment(sherpa) is os.environ
    root = sherpa.parent.parent
    for folder in ("share", "lib64"):
        (root / folder / "SHERPA-MC").mkdir(parents=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/before")
    found = sherpa_environment(sherpa)
    assert found["SHERPA_SHARE_PATH"] == found["LHAPDF_DATA_PATH"] == str(root / "share" / "SHERPA-MC")
    assert found["SHERPA_LIBRARY_PATH"] == str(root / "lib64" / "SHERPA-MC")
    assert found["LD_LIBRARY_PATH"] == f"{root / 'lib64' / 'SHERPA-MC'}:/before"


def test_a_run_returns_the_cross_sections(sherpa: Path, tmp_path: Path) -> None:
    sections = run_sherpa(sherpa, TT_W.text(events=3, seed=5, ecm=13000.0, name="events"), tmp_path)
    assert sections == [RunCardSection(0.25, 0.003)] * 2
    assert (tmp_path / "events.lhe").is_file()


def test_a_failure_shows_the_end_of_the_output(sherpa: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"(?s)Sherpa: expected .* ended with code 3;.*shipped events.*:\nno such energy$"
    ):
        run_sherpa(sherpa, TT_W.text(events=3, seed=5, ecm=20.0, name="events"), tmp_path)
