"""Tables from JSON files, and the page that they are written into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from root_gnn.bench.machine import Allocator, describe_machine
from root_gnn.bench.row import Row
from root_gnn.bench.suite import BenchResults
from root_gnn.bench.table import BEGIN, END, bench_markdown, fill_page, read_results
from root_gnn.bench.timing import Spread
from root_gnn.errors import InputError

CONDITIONS = {"rounds": 9, "quick": False, "cores": 1, "load": 0.1}
KEYS = {"case", "reference", "ratio", "low", "high", "target", "limit_fraction", "max_difference"}


def findings(*rows: Row, allocator: Allocator = "tuned", **conditions: Any) -> BenchResults:
    found = BenchResults()
    entries = [{**row.entry(), **CONDITIONS, **conditions} for row in rows]
    left_out = [{"what": "the rest", "reason": "it is elsewhere"}]
    found.take("speed", allocator, {"machine": describe_machine(), "rows": entries, "left_out": left_out})
    return found


def row(**changes: Any) -> Row:
    numbers = {"target": 3.0, "limit_fraction": 0.612, "limit_target": 0.55, "max_difference": 2e-6, "unit": "events/s"}
    rates = {"ours": 12345.6, "theirs": 7.891}
    return Row.spread(
        Spread.of([3.0, 3.25, 4.0]), **{"what": "training", "reference": "theirs", "rates": rates, **numbers, **changes}
    )


def test_entries_have_the_keys_of_the_contract() -> None:
    entry = findings(row()).as_mapping()["cases"][0]
    assert set(entry) >= KEYS
    assert (entry["case"], entry["ratio"], entry["low"], entry["high"]) == ("speed", 3.25, 3.0, 4.0)


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, True),
        ({"target": 3.3}, False),
        ({"limit_target": 0.7}, False),
        ({"between": (3.2, 3.3)}, True),
        ({"between": (0, 1)}, False),
        ({"target": None, "limit_target": None}, None),
    ],
)
def test_a_row_knows_whether_it_is_what_was_asked(changes: dict[str, Any], passes: bool | None) -> None:
    assert row(**changes).passes() is passes
    assert ("missed" in findings(row(**changes)).markdown()) is (passes is False)


def test_the_table_says_everything() -> None:
    text = findings(row()).markdown()
    line = "training | root_gnn | theirs | 3.25 [3..4] (3.12, 3.62) | 3 and 0.55 of the limit "
    line += "| ours 12,300, theirs 7.89 events/s | 0.61 | 2.0e-06"
    assert f"| {line} |" in text.splitlines()
    assert "one core, 9 rounds, load 0.1 at the start." in text and describe_machine()["torch"] in text
    assert "Left out: the rest (speed): it is elsewhere." in text
    assert "no time here means anything" in findings(row(), quick=True).markdown()


def test_nothing_is_asked_with_the_default_allocator() -> None:
    line = findings(row(target=4.0), allocator="default").markdown().splitlines()[-3]
    assert line.startswith("| training | root_gnn | theirs | 3.25 [3..4] (3.12, 3.62) |  | ours 12,300")


def test_figures_are_written_between_the_marks_and_again(tmp_path: Path) -> None:
    page, files = tmp_path / "page.md", [tmp_path / "a.json", tmp_path / "b.json"]
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    for file in files:
        findings(row(what=f"training {file.stem}")).save(file)
    for _ in range(2):
        fill_page(page, files)
        text = page.read_text(encoding="utf-8")
        assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
        assert text.count("| training a |") == text.count("| training b |") == text.count("Left out: the rest") == 1
    assert files[0].with_suffix(".md").read_text(encoding="utf-8") == bench_markdown([read_results(files[0])])


def test_pages_without_marks_and_files_of_others_are_refused(tmp_path: Path) -> None:
    page, file = tmp_path / "page.md", tmp_path / "other.json"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(InputError, match=r"page\.md: expected the lines"):
        fill_page(page, [])
    file.write_text(json.dumps([1]), encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.json: expected a file"):
        read_results(file)
