"""The page of processes against known values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("pythia8mc")

from root_gnn.errors import InputError
from root_gnn.pages.control import control_page

pytestmark = pytest.mark.pythia


def test_page_and_figures(tmp_path: Path) -> None:
    control_page(["ZH"], events=60, out=tmp_path, params={"mpi": "off"})
    (entry,) = json.loads((tmp_path / "control.json").read_text(encoding="utf-8"))
    assert (
        entry["process"] == "ZH"
        and entry["n_events"] == 60
        and entry["n_failed"] == 0
        and entry["cross_section_error"] > 0
    )
    checks = {check["quantity"]: check for check in entry["checks"]}
    exact = {"found": 1.0, "known": 1.0, "error": 0.0, "pull": None, "holds": True}
    assert checks["events with 1 Z"] == {"quantity": "events with 1 Z", **exact}
    share = checks["H to b b"]
    assert share["pull"] == pytest.approx((share["found"] - share["known"]) / share["error"])
    page = (tmp_path / "control.html").read_text(encoding="utf-8")
    assert "60 events, 0 failed" in page and "H to b b" in page and "data:image/png" in page


def test_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one --process"):
        control_page([], events=10, out=tmp_path, params={})
    with pytest.raises(InputError, match="add --level jets"):
        control_page(["Tbqq"], events=10, out=tmp_path, params={})
