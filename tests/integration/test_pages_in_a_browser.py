"""Pages in a real browser: no console errors, no sideways scrolling, tables sort, pictures have words; light and
dark.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from root_gnn import plots
from root_gnn.pages.html import heading, listing, page, paragraph, picture, pictures, table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything that pages are made of, some of it wide."""
    folder = tmp_path_factory.mktemp("page")
    sizes = {"scratch": {100: plots.Interval(0.5, 0.4, 0.6), 1000: plots.Interval(0.6, 0.5, 0.7)}}
    plots.training_size(sizes, folder / "size.svg")
    plots.training_size(sizes, folder / "size.png")
    rows = [
        ("ten", "10 ± 1", "\N{EN DASH}"),
        ("two", "2", "1,200"),
        ("thousand", "1,000 [900, 1,100]", "-3.5"),
        ("less", "-1.5e-3", "not defined"),
    ]
    wide = tuple(f"a long name of column {k}" for k in range(14))
    parts = [
        *(heading(f"Section {k}") for k in range(4)),
        paragraph("word " * 60),
        paragraph("w" * 300),
        table(("name", "size", "left"), rows),
        table(wide, [wide]),
        listing(["root-gnn " + "--set x=y " * 60]),
        pictures([picture(folder / "size.svg", "A picture."), picture(folder / "size.png", "Another one.")]),
    ]
    path = folder / "page.html"
    path.write_text(page("A page", parts), encoding="utf-8")
    return path


def check(browser: Any, path: Path) -> None:
    """What holds of every page."""
    for width in (1280, 390):
        for dark in (False, True):
            browser.open(path, width=width, dark=dark)
            assert browser.value("document.documentElement.scrollWidth") <= width
            assert browser.value("[...document.images].every(one => one.alt.length > 5 && one.naturalWidth > 0)")
            assert browser.value("getComputedStyle(document.body).backgroundColor") == (
                "rgb(20, 20, 20)" if dark else "rgb(255, 255, 255)"
            )
    n_table = browser.value("document.querySelectorAll('table').length")
    for k in range(n_table):
        sort = f"document.querySelectorAll('table')[{k}].querySelectorAll('th button')[1].click()"
        rows = f"[...document.querySelectorAll('table')[{k}].tBodies[0].rows].map(row => row.textContent)"
        before = browser.value(rows)
        browser.value(sort)
        assert sorted(browser.value(rows)) == sorted(before)
    assert browser.told() == []


def column(browser: Any, clicks: list[int], shown: int = 0) -> list[str]:
    for place in clicks:
        browser.value(f"document.querySelector('table').querySelectorAll('th button')[{place}].click()")
    return list(
        browser.value(
            f"[...document.querySelector('table').tBodies[0].rows].map(row => row.cells[{shown}].textContent)"
        )
    )


def test_every_part_of_a_page(browser: Any, sample: Path) -> None:
    check(browser, sample)


def test_tables_are_put_in_order_by_number_or_name_with_what_is_not_defined_last(browser: Any, sample: Path) -> None:
    browser.open(sample, width=1280)
    assert column(browser, [1]) == ["less", "two", "ten", "thousand"]
    assert column(browser, [1]) == ["thousand", "ten", "two", "less"]
    assert browser.value("document.querySelectorAll('th')[1].ariaSort") == "descending"
    assert column(browser, [2])[:2] == ["thousand", "two"] and set(column(browser, [])[2:]) == {"ten", "less"}
    assert column(browser, [2])[:2] == ["two", "thousand"]
    assert column(browser, [0]) == ["less", "ten", "thousand", "two"]


STUDY = """
name: small
tasks: [WHvsZH]
pretrained:
  multiclass: {recipe: pretrain_multiclass, set: ["data.classes={WH: WH.root, ZH: ZH.root}"]}
modes: [finetuned, frozen]
train_events: [40, 80]
seeds: [1, 2]
"""


def test_the_pages_of_a_study_and_of_runs(browser: Any, tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "small.yaml").write_text(STUDY)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ROOT_GNN_DATA": str(data_dir)}
    for words in (
        ["study", "small.yaml", "--tiny", "--out", "out"],
        ["report", "out/runs/WHvsZH_scratch_n40_s1", "--out", "report.html"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "root_gnn", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    check(browser, tmp_path / "out" / "study.html")
    assert browser.value("[...document.querySelectorAll('td a')].length") == 13
    check(browser, tmp_path / "report.html")
