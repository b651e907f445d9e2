from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from root_gnn.analysis.cka import compare_layers
from root_gnn.analysis.comparison import Comparison
from root_gnn.analysis.embed import embed
from root_gnn.errors import InputError
from root_gnn.metrics.formatting import format_number
from root_gnn.pages.report import report
from root_gnn.runs.run import Run


class Outline(HTMLParser):
    """What a page shows, and whether its tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name == "src"]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def outline(path: Path) -> Outline:
    found = Outline()
    found.feed(path.read_text(encoding="utf-8"))
    assert found.open == []
    return found


def test_one_run_has_its_figures_plan_and_pictures_in_the_page(one_run: Run, ntuples: Path, tmp_path: Path) -> None:
    run = one_run
    embed(run, data_dir=ntuples, events=40)
    page = outline(report([run], out=tmp_path / "page.html"))
    test = run.metrics["splits"]["test"]
    assert f"{test['auc']:.4f} ± {test['auc_error']:.4f}" in page.text
    assert "100 events to train" in page.text and "ZH.root" in page.text and "1.00e-03" in page.text
    assert "validation split, and the test split was looked at once" in page.text
    assert len(page.sources) == 5, "learning curves, ROC, scores, confusion, embedding"
    for source in page.sources:
        assert base64.b64decode(source.removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")


def test_nothing_is_loaded_from_elsewhere(seeds: list[Run], tmp_path: Path) -> None:
    path = report(seeds, out=tmp_path / "page.html")
    text = re.sub(r'src="data:[^"]*"', "", path.read_text(encoding="utf-8"))
    assert not re.search(r"https?://|<script src|<link|@import|url\(", text)


def test_text_from_outside_is_escaped(seeds: list[Run], tmp_path: Path) -> None:
    page = outline(
        report(
            seeds[:1],
            out=tmp_path / "page.html",
            title="<b>a & b</b>",
            notes=["<script>alert(1)</script>"],
            commands=["a <b> 'c'"],
        )
    )
    assert page.tags.count("script") == 1 and "b" not in page.tags, "the script of the page itself"
    assert "<script>alert(1)</script>" in page.text and "<b>a & b</b>" in page.text and "a <b> 'c'" in page.text


def test_runs_on_one_task_are_compared_by_themselves(
    seeds: list[Run], deeper: list[Run], make_run, tmp_path: Path
) -> None:
    more = [make_run(f"more_s{seed}", seed=seed, train_events=200) for seed in (1, 2, 3)]
    page = outline(report([*more, *seeds], out=tmp_path / "page.html", detailed=[]))
    assert "Comparison: WH against ZH" in page.text
    assert "test AUC less that of scratch, 100 events" in page.text and "other training events" in page.text
    alone = outline(report(seeds, out=tmp_path / "alone.html", detailed=[]))
    assert "Comparison" not in alone.text
    other = make_run("other", "data.max_events=150", train_events=150)
    mixed = outline(report([*seeds, *more, other], out=tmp_path / "mixed.html", detailed=[]))
    assert "could not be compared" in mixed.text and "same events" in mixed.text


def test_given_comparison_cka_and_commands_are_shown(
    seeds: list[Run], deeper: list[Run], ntuples: Path, tmp_path: Path
) -> None:
    compare_layers([seeds[0], deeper[0]], events=40, out=tmp_path / "cka", data_dir=ntuples, n_permutation=2)
    found = Comparison.of({"scratch": seeds, "deeper": deeper}, title="the question")
    path = report(
        [*seeds, *deeper],
        out=tmp_path / "page.html",
        comparisons=[found],
        cka=tmp_path / "cka",
        detailed=["scratch_s1"],
        commands=["root-gnn train x"],
    )
    page = outline(path)
    assert (
        "Comparison: the question" in page.text
        and "scratch_s1 and deeper_s1" in page.text
        and "root-gnn train x" in page.text
    )
    assert page.text.count("Objective multiclass") == 1
    assert len(page.sources) == 2 + 4


def test_an_unfinished_run_is_said_to_be_unfinished(one_run: Run, tmp_path: Path) -> None:
    (one_run.folder / "metrics.json").unlink()
    page = outline(report([one_run], out=tmp_path / "page.html"))
    assert "not finished" in page.text


def test_figures_without_value_are_dashes(one_run: Run, tmp_path: Path) -> None:
    assert format_number(None) == format_number(None, 0.1) == "\N{EN DASH}"
    assert (format_number(0.61237, 0.012), format_number(3.14159, digits=2)) == ("0.6124 ± 0.0120", "3.14")
    metrics = one_run.metrics
    metrics["splits"]["test"] |= {"auc": None, "auc_error": None, "rejection": None}
    (one_run.folder / "metrics.json").write_text(json.dumps(metrics))
    assert "None" not in outline(report([one_run], out=tmp_path / "page.html")).text


def test_no_runs_and_no_cka(seeds: list[Run], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one run folder or more"):
        report([], out=tmp_path / "page.html")
    with pytest.raises(InputError, match=r"has no cka\.json"):
        report(seeds[:1], out=tmp_path / "page.html", cka=tmp_path)
