"""Cases found by name, and what stops them."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn.bench.suite import bench, case_files, run_cases
from root_gnn.errors import InputError

ASKED = {
    "graph_network",
    "graph_network_memory",
    "particle_transformer",
    "nt_xent",
    "linear_cka",
    "subjets",
    "augmentations",
    "loader",
    "prepare",
    "large_files",
    "end_to_end",
    "scaling",
    "processes",
    "roofline",
    "compile",
}
FAILING = """
import sys
from root_gnn.bench.case import agree, run_case
import torch
def results(bench):
    agree("numbers", torch.zeros(1), torch.ones(1), 0.5)
    yield
sys.exit(run_case(results, None))
"""


def test_the_cases_are_found_and_helpers_are_not() -> None:
    assert set(case_files()) == ASKED


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["nt_xnt"], {}, "did you mean nt_xent"),
        ([], {"rounds": 0}, "--rounds 0"),
        ([], {"allocator": "mine"}, "--allocator mine"),
    ],
)
def test_wrong_wishes_are_refused(names: list[str], options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        bench(names, **options)


def test_a_case_whose_outputs_differ_stops_everything(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    case = tmp_path / "failing.py"
    case.write_text(FAILING, encoding="utf-8")
    with pytest.raises(RuntimeError, match="the benchmark failing ended with 1"):
        run_cases([case], allocators=["default"], arguments=["--quick"], out=tmp_path / "bench.json")
    assert "numbers: the outputs differ by 1.0e+00, 5e-01 is allowed; nothing is timed" in capfd.readouterr().err
    assert not (tmp_path / "bench.json").exists()
