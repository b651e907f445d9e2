"""The page about inputs: what it shows, from which events, and that what files are called cannot break it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from root_gnn import plots
from root_gnn.data.hygiene.report import Report
from root_gnn.pages import inputs
from root_gnn.pages.inputs import write_inputs_page
from root_gnn.plots import Distribution
from root_gnn.runs.prepare import Prepared, prepare


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[list[Distribution]]:
    """The panels of each picture, beside the pictures."""
    seen: list[list[Distribution]] = []
    draw = plots.distributions
    monkeypatch.setattr(plots, "distributions", lambda panels, path: (seen.append(list(panels)), draw(panels, path)))
    return seen


@pytest.fixture
def prepared(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    monkeypatch.setenv("ROOT_GNN_CACHE", str(tmp_path))
    return prepare("WHvsZH", data_dir=data_dir)[0]


def test_distributions_of_each_class(prepared: Prepared, drawn: list[list[Distribution]]) -> None:
    path = write_inputs_page(prepared)
    assert path == prepared.cache / "hygiene.html"
    page = path.read_text(encoding="utf-8")
    for text in ("None: nothing odd was found.", "<h3>muon</h3>", "<td>WH.root</td>", "weight 1.", "src="):
        assert text in page
    assert "http" not in page.replace("http-equiv", "")
    assert [panel.label for panel in drawn[1]] == [
        "number per graph",
        "pt [GeV]",
        "eta",
        "phi [rad]",
        "energy [GeV]",
        "btag",
    ]
    shard = prepared.shards[1]  # WH
    jets = np.diff(np.searchsorted(np.flatnonzero(shard.nodes[:, 6] == 0), shard.offsets))
    number = drawn[1][0]
    assert list(number.shares) == ["ZH", "WH"]
    middle = (number.edges[1:] + number.edges[:-1]) / 2
    assert number.shares["WH"].tolist() == [(jets == value).mean() for value in middle]
    pt = drawn[1][1]
    assert pt.kind == "log"
    assert pt.shares["WH"].sum() == pytest.approx(1.0, abs=0.01)
    assert pt.edges[0] >= 25.0  # the simulation's threshold


def test_a_sample_of_many(prepared: Prepared, drawn: list[list[Distribution]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "N_GRAPH", 100)
    write_inputs_page(prepared)
    assert (np.round(drawn[0][0].shares["WH"] * 100, 9) % 1 == 0).all()  # every third of 300 events


def test_names_and_problems_are_text(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "distributions", lambda panels, path: None)
    report = prepared.report
    odd = Report("<b>", report.files, {"x": "<script>"}, {}, ("a & b",), ("it is <wrong>",))
    page = write_inputs_page(Prepared(prepared.selection, odd, tmp_path / "new", "hygiene"))
    assert page is not None
    text = page.read_text(encoding="utf-8")
    for shown in ("&lt;b&gt;", "&lt;script&gt;", "a &amp; b", "it is &lt;wrong&gt;"):
        assert shown in text
    assert text.count("<script>") == 1, "that of the page itself"


def test_a_cache_that_cannot_be_written(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "distributions", lambda panels, path: None)
    (tmp_path / "file").write_text("in the way")
    assert write_inputs_page(Prepared(prepared.selection, prepared.report, tmp_path / "file", "hygiene")) is None
