"""The table of a study in a page of Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from root_gnn.errors import InputError
from root_gnn.study.readme import fill_readme

MARKS = "<!-- study x: written by tools/study_table -->\nold\n<!-- end of the study -->"


def comparison(task: str, size: int, auc: float) -> dict[str, Any]:
    figure = {"mean": auc, "low": auc - 0.01, "high": auc + 0.01, "per_seed": [auc, auc]}
    gain = {"mean": 0.05, "low": 0.03, "high": 0.0625, "per_seed": [0.04, -0.06]}
    return {
        "title": f"{task}, {size:,} training events",
        "groups": [{"name": name, "n_train": size, "auc": figure} for name in ("scratch", "a, frozen")],
        "differences": [{"group": "a, frozen", "auc": gain, "verdict": "above"}],
    }


def test_the_smallest_and_the_largest_size_stand_between_the_marks(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"before\n{MARKS}\nafter\n")
    every = [comparison("WH, new", size, auc) for size, auc in ((100, 0.6), (1000, 0.65), (5000, 0.7))] + [
        comparison("ttH", 100, 0.8)
    ]
    (tmp_path / "study.json").write_text(json.dumps({"name": "x", "comparisons": every, "answers": {}}))
    for _ in range(2):
        fill_readme(tmp_path / "README.md", tmp_path / "study.json")
    text = (tmp_path / "README.md").read_text()
    assert (
        text.startswith("before\n<!-- study x")
        and text.endswith("<!-- end of the study -->\nafter\n")
        and "old" not in text
    )
    assert (
        "| WH, new | a, frozen | 5,000 | 0.700 [0.690, 0.710] | +0.050 [+0.030, +0.062] | +0.040 -0.060 | above |"
        in text
    )
    assert text.count("\n| WH, new |") == 4 and text.count("\n| ttH |") == 2 and "1,000" not in text
    assert (
        "(docs/figures/study_x.png)" in text and (tmp_path / "docs" / "figures" / "study_x.png").stat().st_size > 5000
    )


def test_trees_have_a_row_and_every_other_its_distance_from_them(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(MARKS)
    networks, trees = comparison("WH, new", 100, 0.6), comparison("WH, new", 100, 0.58)
    trees |= {
        "title": "WH, new, 100 training events, beside trees",
        "groups": [{**trees["groups"][0], "name": "trees"}],
    }
    content = {
        "name": "x",
        "comparisons": [networks, comparison("WH, new", 500, 0.7)],
        "answers": {},
        "floors": [trees],
    }
    (tmp_path / "study.json").write_text(json.dumps(content))
    fill_readme(tmp_path / "README.md", tmp_path / "study.json")
    text = (tmp_path / "README.md").read_text()
    assert "| WH, new | trees | 100 | 0.580 [0.570, 0.590] |  |  |  |  |" in text
    assert (
        "| above | +0.050 [+0.030, +0.062] above |" in text
        and "| WH, new | scratch | 500 | 0.700 [0.690, 0.710] |  |  |  |  |" in text
    )
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_a_page_below_docs_has_its_picture_beside_it(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "results.md"
    page.parent.mkdir()
    page.write_text(f"{MARKS}\n")
    (tmp_path / "study.json").write_text(
        json.dumps({"name": "x", "comparisons": [comparison("WH", 10, 0.6)], "answers": {}})
    )
    fill_readme(page, tmp_path / "study.json")
    assert "(figures/study_x.png)" in page.read_text() and (tmp_path / "docs" / "figures" / "study_x.png").is_file()


def test_other_files_and_pages_without_marks(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no marks")
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "study.json").write_text(
        json.dumps({"name": "x", "comparisons": [comparison("WH", 10, 0.6)], "answers": {}})
    )
    with pytest.raises(InputError, match=r"expected study\.json"):
        fill_readme(tmp_path / "README.md", tmp_path / "other.json")
    with pytest.raises(InputError, match="written by tools/study_table"):
        fill_readme(tmp_path / "README.md", tmp_path / "study.json")
